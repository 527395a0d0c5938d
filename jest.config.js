import { SWC } from './test/swc-options.mjs';

/**
 * Nine projects over one way of compiling. Jest runs native ES modules here, so node needs
 * --experimental-vm-modules (the npm scripts pass it).
 */
const transform = { '^.+\\.ts$': ['@swc/jest', SWC] };

const project = (displayName, testMatch) => ({
  displayName,
  testMatch: testMatch.map((pattern) => `<rootDir>/${pattern}`),
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  // Sources import './x.js', as node will see it; under test that file is still x.ts.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
  transform,
});

export default {
  // A limit against what hangs, with room for a machine that has much else to do.
  testTimeout: 120_000,
  // Node does not give back the modules of a file of tests when it is done; a process that ran them all would run out of
  // memory. With a limit Jest runs them elsewhere (but for `-i` and `--detectOpenHandles`), in a process
  // that is begun anew between two files.
  workerIdleMemoryLimit: '1GB',
  projects: [
    project('unit', ['src/**/*.spec.ts', 'projections/**/*.spec.ts', 'examples/**/*.spec.ts', 'test/model/**/*.spec.ts']),
    project('contracts', ['test/contracts/**/*.spec.ts']),
    project('scenarios', ['test/scenarios/**/*.spec.ts', 'test/histories/**/*.spec.ts']),
    // The same scenarios and all doors, on EventStoreDB's wire double, or on the server that EVENTSTORE_URL names.
    {
      ...project('eventstoredb', ['test/scenarios/{embedded-run,examples,large-payloads,newer-fact,orphaned-batch,refusals,shutdown}.spec.ts', 'test/scenarios/eventstoredb.scenario.ts', 'test/rest/**/*.spec.ts']),
      setupFilesAfterEnv: ['<rootDir>/test/eventstoredb/for-scenarios.ts'],
    },
    project('rest', ['test/rest/**/*.spec.ts']),
    project('crash', ['test/crash/**/*.{spec,scenario}.ts']),
    project('browser', ['test/browser/**/*.spec.ts']),
    project('package', ['test/package/**/*.spec.ts']),
    project('tidy', ['test/tidy/**/*.spec.ts']),
  ],
  reporters: ['default', '<rootDir>/test/closing-line.reporter.mjs'],
};
