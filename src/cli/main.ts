// The command line's entry: the version at once, everything else by way of the commands.

/**
 * Runs one command line; never rejects. The outcome is `process.exitCode`.
 *
 * @param argv As `process.argv`: the program's own two entries come first.
 */
export async function main(argv: string[]): Promise<void> {
  process.stdout.on('error', endQuietly);
  process.stderr.on('error', endQuietly);
  try {
    if (argv.length === 3 && (argv[2] === '--version' || argv[2] === '-V')) {
      const { packageVersion } = await import('../version.ts');
      process.stdout.write(`${packageVersion()}\n`);
      return;
    }
    const { runProgram } = await import('./program.ts');
    await runProgram(argv.slice(2));
  } catch (error) {
    const { reportFailure } = await import('./failure.ts');
    reportFailure(error);
  }
}

/** Whoever read our output has seen enough (`failover status | head -1`): no failure of ours. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  // `run` goes on: what it keeps active is worth more than the reader of its messages.
  if (process.argv[2] !== 'run') process.exit();
}
