/**
 * The habits of the house as lint rules. Each ban names what to use instead.
 */
import tseslint from 'typescript-eslint';

const SOURCES = ['src/**/*.ts', 'projections/**/*.ts'];
const TYPESCRIPT = [...SOURCES, 'examples/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'];
const SPECS = ['**/*.spec.ts', 'test/**/*.ts', 'bench/**/*.ts'];

const call = (name) => `CallExpression[callee.name="${name}"]`;
const method = (object, name) => `MemberExpression[object.name="${object}"][property.name="${name}"]`;
const ban = (message, ...selectors) => selectors.map((selector) => ({ selector, message }));

const CLOCK = 'Time comes from the Clock (src/clock.ts)';
const TIME = [
  ...ban(
    `${CLOCK}: use clock.now(), or clock.elapsed() for durations.`,
    method('Date', 'now'),
    'NewExpression[callee.name="Date"][arguments.length=0]',
    'CallExpression[callee.name="Date"]',
    method('performance', 'now'),
    method('process', 'hrtime'),
  ),
  ...ban(
    `${CLOCK}: use clock.wakeAt(at, wake) or clock.sleep(ms, signal); what must outlive the process is a timer fact.`,
    ...['setTimeout', 'setInterval'].flatMap((name) => [call(name), method('globalThis', name)]),
  ),
  ...ban(`${CLOCK}: use an AbortController and clock.wakeAt.`, method('AbortSignal', 'timeout')),
];

const RANDOMNESS = ban(
  'Randomness and fresh ids come from src/ids.ts; what a retry must find again is a deterministic id.',
  method('Math', 'random'),
  method('crypto', 'randomUUID'),
  method('crypto', 'getRandomValues'),
);

const STRUCTURE = [
  ...ban('Name what the door lets out: export { A, B } from …', 'ExportAllDeclaration'),
  ...ban('A facing pair of modules is a cycle: turn one arrow round, or give both a third to look at.', call('forwardRef')),
  ...ban(
    'Stream names are spelled in src/events/streams.ts only.',
    'TemplateElement[tail=false][value.raw=/(^|[.])(run|batch|schedule|audit|answer|seal|blob)-$/]',
  ),
];

const ASSERTIONS = ban(
  'Let the types follow: narrow, or parse at the border. `as` stands only in the codec, ids, fold and the minted handlers.',
  'TSAsExpression:not([typeAnnotation.typeName.name="const"])',
  'TSTypeAssertion',
);

const CQRS = {
  name: '@nestjs/cqrs',
  importNames: ['EventBus', 'EventPublisher', 'EventsHandler', 'IEventHandler', 'AggregateRoot', 'Saga', 'ofType'],
  message: 'Facts go through the event log; reactors and projections follow its subscription (src/reactors, src/reading).',
};
const NEST = { name: '@nestjs/common', importNames: ['forwardRef'], message: 'Turn one of the two arrows round.' };
const TIME_MODULES = ['node:timers', 'node:timers/promises', 'timers', 'timers/promises', 'node:perf_hooks', 'perf_hooks'].map(
  (name) => ({ name, message: `${CLOCK}.` }),
);
const CRYPTO = ['node:crypto', 'crypto'].map((name) => ({
  name,
  importNames: ['randomUUID', 'randomBytes', 'randomInt', 'getRandomValues', 'webcrypto'],
  message: 'Randomness and fresh ids come from src/ids.ts.',
}));

const syntax = (...groups) => ['error', ...groups.flat()];
const imports = (...groups) => ['error', { paths: groups.flat() }];

export default tseslint.config(
  { ignores: ['dist/', 'dist.*', 'node_modules/', 'data/', 'coverage/', 'dashboard/', 'docs/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: { sourceType: 'module' },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_' }], 'prefer-const': 'error', eqeqeq: 'error' },
  },

  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': syntax(STRUCTURE),
      'no-restricted-imports': imports(CQRS, NEST),
      '@typescript-eslint/no-explicit-any': ['error', { fixToUnknown: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': ['error', { prefer: 'type-imports', fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/prefer-readonly': 'error',
      // Says "this index exists" where the line above it showed so; noUncheckedIndexedAccess asks for it all the time.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // A port's method is async because of its other implementations.
      '@typescript-eslint/require-await': 'off',
      // Enough with `any` banned; a class without fields is a Nest module or a command.
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },

  {
    files: SOURCES,
    rules: {
      'max-params': ['error', { max: 5 }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': syntax(TIME, RANDOMNESS, STRUCTURE, ASSERTIONS),
      'no-restricted-imports': imports(CQRS, NEST, TIME_MODULES, CRYPTO),
    },
  },
  {
    // A command is a class of fields.
    files: ['src/**/*.commands.ts', 'src/**/*.queries.ts'],
    rules: { 'max-params': 'off' },
  },
  {
    files: ['src/clock.ts'],
    rules: {
      'no-restricted-syntax': syntax(RANDOMNESS, STRUCTURE, ASSERTIONS),
      'no-restricted-imports': imports(CQRS, NEST, CRYPTO),
    },
  },
  {
    files: ['src/ids.ts'],
    rules: {
      'no-restricted-syntax': syntax(TIME, STRUCTURE),
      'no-restricted-imports': imports(CQRS, NEST, TIME_MODULES),
    },
  },
  {
    // Where a branded, decoded or minted type begins: nothing but an assertion can say so. Each has its why beside it.
    files: ['src/**/*codec.ts', 'src/**/fold.ts', 'src/actors/command-handlers.ts'],
    rules: { 'no-restricted-syntax': syntax(TIME, RANDOMNESS, STRUCTURE) },
  },
  {
    // `types: { context: {} as RunContext }` is how XState is told its types; any other assertion stays banned.
    files: ['src/**/*.machine.ts'],
    rules: {
      'no-restricted-syntax': syntax(
        TIME,
        RANDOMNESS,
        STRUCTURE,
        ASSERTIONS.map(({ selector, message }) => ({ selector: `${selector}:not([expression.properties.length=0])`, message })),
      ),
    },
  },
  {
    files: ['src/events/streams.ts'],
    rules: {
      'no-restricted-syntax': syntax(
        TIME,
        RANDOMNESS,
        ASSERTIONS,
        STRUCTURE.filter(({ message }) => !message.startsWith('Stream names')),
      ),
    },
  },

  {
    // Tests build odd values and spell names out on purpose; they still never sleep beside the code.
    files: SPECS,
    rules: {
      'max-lines-per-function': 'off',
      'no-restricted-syntax': ['error', ...ban('Name what the door lets out: export { A, B } from …', 'ExportAllDeclaration')],
      'no-restricted-imports': imports(CQRS, NEST),
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['src/**/*.spec.ts', 'projections/**/*.spec.ts'],
    rules: {
      'no-restricted-syntax': syntax(
        ban(
          'No sleeps in a spec: use the simulated clock (src/testing) or wait for a signal.',
          ...['setTimeout', 'setInterval'].flatMap((name) => [call(name), method('globalThis', name)]),
        ),
      ),
      'no-restricted-imports': imports(
        CQRS,
        NEST,
        TIME_MODULES.filter(({ name }) => name.includes('timers')).map(({ name }) => ({
          name,
          message: 'No sleeps in a spec: use the simulated clock or wait for a signal.',
        })),
      ),
    },
  },
  {
    // What prints by trade: benches to the terminal.
    files: ['bench/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
