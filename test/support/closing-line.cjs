const fs = require('node:fs');

/** Ends a run with one plain line that any CI can read. A suite that could not even load counts as a failure. */
module.exports = class ClosingLine {
  onRunComplete(_contexts, results) {
    const broken = results.testResults.filter((file) => file.testExecError && !file.numFailingTests).length;
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped ? `, ${skipped} skipped` : '';
    const line = `\n${results.numPassedTests} passed, ${results.numFailedTests + broken} failed${tail}\n`;
    // Jest's own summary is still in a buffer now: only at the very end is this the last line.
    process.on('exit', () => fs.writeSync(1, line));
  }
};
