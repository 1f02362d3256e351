// Prints `N passed, N failed[, N skipped]` as the very last line of a test run.
import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const totals = countTests(modules);
    totals.failed += unhandledErrors.length;
    // At exit, and synchronously: the other reporters have said all they have to say by then.
    process.once('exit', () => writeSync(1, `${formatTotals(totals)}\n`));
  }
}

/** Counts tests; a file that could not be loaded is one failure, since its tests never came to be. */
function countTests(modules: readonly TestModule[]): Totals {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    let failedTests = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') totals.passed += 1;
      else if (state === 'skipped') totals.skipped += 1;
      else failedTests += 1;
    }
    totals.failed += failedTests === 0 && module.state() === 'failed' ? 1 : failedTests;
  }
  return totals;
}

function formatTotals({ passed, failed, skipped }: Totals): string {
  const line = `${String(passed)} passed, ${String(failed)} failed`;
  return skipped === 0 ? line : `${line}, ${String(skipped)} skipped`;
}
