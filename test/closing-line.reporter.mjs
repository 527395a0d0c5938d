/**
 * The last line of a test run, for people and programs: `Tests: N passed, M failed`, alone on its line.
 * A file that could not be run at all counts as one failure, so that the line never looks better than the exit code.
 */
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const passed = results.numPassedTests;
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `Tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    // Jest prints its own summary after every reporter; only the end of the process comes later.
    process.once('exit', () => process.stdout.write(`\n${line}\n`));
  }
}
