/**
 * Who may talk to whom. The rooms of src and their doors; each rule says why it is there.
 * Specs may reach further than the room they test (they build it from real parts), but may not close a cycle.
 */
const SPEC = '[.]spec[.]ts$';
const room = (...names) => names.map((name) => `^src/${name}/`);
const EVERYWHERE = ['^src/(clock|config|ids)[.]ts$', '^src/telemetry/'];
const READER = '^src/log/(event-reader|log-errors)[.]ts$';
const ASSEMBLY = '^src/(main|index|measured|rows|rows[.]worker|sluice|server[.]module|sluice[.](module|service|health))[.]ts$';
const MACHINES = '^src/[^/]+/[^/]+[.]machine[.]ts$';
const PURE = ['[.](machine|decide)[.]ts$', '^src/actors/fold[.]ts$', '^projections/'];
const LIVING = ['batches', 'runs', 'gates', 'schedules', 'jobs'];
const WORDS_BETWEEN_LIVING_ROOMS = `^src/(${LIVING.join('|')})/[^/]+[.](commands|queries)[.]ts$`;

/** Files of `name` may import their own room, what everybody may, and `doors`; anything else of ours is refused. */
const roomRule = (name, doors, comment) => ({
  name: `room-${name}`,
  comment,
  severity: 'error',
  from: { path: `^src/${name}/`, pathNot: SPEC },
  to: { path: '^(src|projections|examples)/', pathNot: [...room(name), ...EVERYWHERE, ...doors] },
});

const roomRules = [
  roomRule('events', [], 'The vocabulary is what everybody else is made of: it depends on nobody.'),
  roomRule('log', room('events'), 'The cellar keeps facts; who writes or reads them is not its business.'),
  roomRule('actors', room('log', 'events'), 'The engine runs any actor; it must not know runs, batches or schedules.'),
  ...LIVING.map((name) =>
    roomRule(
      name,
      [...room('actors', 'events', 'expressions', 'reading', 'http'), READER, WORDS_BETWEEN_LIVING_ROOMS, '^projections/'],
      'Living rooms speak to one another in commands and queries only, so that each can be understood alone. (Of projections they see rows, and only in queries: a rule of its own.)',
    ),
  ),
  roomRule(
    'expressions',
    ['^src/events/json[.]ts$'],
    'CEL is a language, not a part of the business: it gets JSON values and gives JSON values.',
  ),
  roomRule(
    'reactors',
    [...room('events', 'jobs', 'reading'), READER, '[.]commands[.]ts$', '^src/schedules/occurrences?[.]ts$'],
    'Reactors see facts and speak in commands (L3): no actor, no machine, no decision is theirs.',
  ),
  roomRule('reading', [...room('events'), READER], 'The read side hosts any projection and must be able to be rebuilt from facts alone.'),
  roomRule(
    'audit',
    [...room('log', 'events', 'http'), '^src/actors/fold[.]ts$', '^src/actors/(refusals|kept-answers)[.]ts$', MACHINES],
    'The auditor trusts the log and the machines, neither the actors in memory nor a projection.',
  ),
  roomRule('http', [READER, ...room('reading'), '^src/events/(canonical|json)[.]ts$'], 'The porch serves every controller, so it may know none of them.'),
  roomRule('telemetry', [], 'Everybody may be measured; the meter looks at nobody.'),
  roomRule(
    'cli',
    [...room('audit', 'log'), '^src/reading/read-progress[.]ts$', '^src/main[.]ts$'],
    'The CLI is a client of the REST doors; offline it reads the log through the audit room.',
  ),
  roomRule(
    'testing',
    [...room('actors', 'log', 'events', 'jobs', 'runs', 'batches'), '^src/sluice([.](module|service))?[.]ts$'],
    'The guest kit is published: what it drags in is part of the promise. It runs the real runtime, and decides on plans alone.',
  ),
];

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Files in a cycle can only be understood, moved and tested together; types count too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'writer-only-for-actors',
      comment: 'L1: run-, batch- and schedule- streams are appended to by the actor host alone, audit-, answer- and seal- by the audit room.',
      severity: 'error',
      from: { pathNot: ['^src/(log|actors|audit|testing)/', ASSEMBLY, SPEC] },
      to: { path: '^src/log/event-writer[.]ts$' },
    },
    {
      name: 'pure-files-stay-pure',
      comment: 'Machines, decisions, the fold and projections give the same answer on every node and at every replay (L5).',
      severity: 'error',
      from: { path: PURE, pathNot: SPEC },
      to: { path: ['^src/(clock|config)[.]ts$', '^src/telemetry/'] },
    },
    {
      name: 'pure-files-take-ids-as-types',
      comment: 'A pure file is given its ids; it may know their types, not draw them.',
      severity: 'error',
      from: { path: PURE, pathNot: SPEC },
      to: { path: '^src/ids[.]ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pure-files-do-no-io',
      comment: 'What reaches out of the process cannot be replayed.',
      severity: 'error',
      from: { path: PURE, pathNot: SPEC },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|assert)$' },
    },
    {
      name: 'sources-stand-alone',
      comment: 'Time, identity and configuration are asked by all rooms, so they may know none.',
      severity: 'error',
      from: { path: '^src/(clock|config|ids)[.]ts$' },
      to: { path: '^(src|projections|examples)/', pathNot: '^src/(clock|config|ids)[.]ts$' },
    },
    ...roomRules,
    {
      name: 'nobody-imports-the-assembly',
      comment: 'The modules at the top know every room; a room that knew them would know every other one.',
      severity: 'error',
      from: { path: '^(src/[^/]+/|projections/)', pathNot: ['^src/(cli|testing)/', SPEC] },
      to: { path: ASSEMBLY },
    },
    {
      name: 'engine-without-nest',
      comment: 'The log and the actors are usable and testable without a framework; only their modules and the minted handlers meet it.',
      severity: 'error',
      from: { path: '^src/(log|actors)/', pathNot: ['[.]module[.]ts$', '^src/actors/command-handlers[.]ts$', SPEC] },
      to: { path: '(^|/)node_modules/@nestjs/' },
    },
    {
      name: 'projections-see-facts',
      comment: 'A read model is made of facts and nothing else (L3): it can be thrown away and made anew.',
      severity: 'error',
      from: { path: '^projections/', pathNot: SPEC },
      to: { path: '^(src|examples)/', pathNot: [...room('events', 'reading'), '^src/ids[.]ts$'] },
    },
    {
      name: 'projections-are-plugged-in',
      comment: 'The host gets its projections from the assembly; queries may take the types of their rows.',
      severity: 'error',
      from: { path: '^src/', pathNot: [ASSEMBLY, '^src/testing/', '[.]queries[.]ts$', SPEC] },
      to: { path: '^projections/' },
    },
    {
      name: 'examples-use-the-public-door',
      comment: "Examples are what a user would write; if they need more than the door lets out, the door is too small.",
      severity: 'error',
      from: { path: '^examples/', pathNot: SPEC },
      to: { path: '^(src|projections)/', pathNot: '^src/(index|testing/index)[.]ts$' },
    },
    {
      name: 'examples-only-in-the-demo',
      comment: 'The service must start and the library must load without its examples.',
      severity: 'error',
      from: { path: '^(src|projections)/', pathNot: ['^src/(main|demo)[.]ts$', SPEC] },
      to: { path: '^examples/' },
    },
    {
      name: 'log-client-behind-its-port',
      comment: 'To swap the EventStoreDB client must stay a matter of one file.',
      severity: 'error',
      from: { pathNot: '^src/log/eventstoredb[.]' },
      to: { path: '(^|/)node_modules/@(eventstore|kurrent)/' },
    },
    {
      name: 'no-test-code-in-production',
      comment: 'Specs are not compiled into the package.',
      severity: 'error',
      from: { pathNot: [SPEC, '^test/'] },
      to: { path: [SPEC, '^test/'] },
    },
    {
      name: 'no-test-runner-in-the-package',
      comment: 'A published file may only import what an installed package brings along.',
      severity: 'error',
      from: { path: '^(src|projections|examples)/', pathNot: SPEC },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional', 'type-only'] },
    },
    {
      name: 'dashboard-stands-alone',
      comment: 'The dashboard speaks to the doors, and is built from its own folder: neither side may know the other.',
      severity: 'error',
      from: { path: '^dashboard/src/' },
      to: { path: '^(src|projections|examples|test)/' },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere fails at start, on the first node that loads it.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
