// The command line's entry: the version at once, everything else by way of the commands.
import { messageOf } from '../error-message.ts';
import { watchOutput } from './output.ts';
import { hearHangUp } from './up/early-hang-up.ts';

/**
 * Runs one command line; never rejects. The outcome is `process.exitCode`.
 *
 * @param argv As `process.argv`: the program's own two entries come first.
 */
export async function main(argv: string[]): Promise<void> {
  watchOutput();
  // First of all: whoever has just started it may want a change of its file taken.
  if (argv[2] === 'up') hearHangUp();
  let report = reportPlainly;
  try {
    if (argv.length === 3 && (argv[2] === '--version' || argv[2] === '-V')) {
      const { packageVersion } = await import('../version.ts');
      process.stdout.write(`${packageVersion()}\n`);
      return;
    }
    if (argv[2] === '__complete') {
      const { answerCompletion } = await import('./completion/answer.ts');
      answerCompletion(argv.slice(3));
      return;
    }
    // Now: when something has failed there may be nothing left to load it with.
    report = (await import('./failure.ts')).reportFailure;
    const { runProgram } = await import('./program.ts');
    await runProgram(argv.slice(2));
  } catch (error) {
    report(error);
  }
}

/** Where not even the program could be loaded. */
function reportPlainly(error: unknown): void {
  const fact = messageOf(error);
  const hint = 'Raise the open file limit (`ulimit -n`), or reinstall failover.';
  process.stderr.write(`failover: Cannot start: ${fact}\n${hint}\n`);
  process.exitCode = 1;
}
