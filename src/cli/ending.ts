// How a process ends: with the code that it has said, and whatever still keeps it.

/**
 * Makes the code that was logged the one that is seen: while Node takes a process apart that has nothing left
 * to do, signals have their default action again, and one more request to end would end it by the signal.
 */
export function exitWithCode(): void {
  process.once('beforeExit', () => {
    process.exit();
  });
}

/**
 * A file system that hangs keeps a thread, and no process ends by itself before its threads: whoever told it to end
 * would wait for as long. All is done by then, and said.
 */
export function killUnlessEnded(): void {
  setTimeout(() => {
    process.kill(process.pid, 'SIGKILL');
  }, ANSWERED_MS).unref();
}

/** Longer than what is under way takes where it is answered. */
const ANSWERED_MS = 2_000;

/** What was not waited for any longer may have a connection, or a child, that keeps the process: it ends without them. */
export function exitUnlessEnded(): void {
  exitWithCode();
  setTimeout(() => {
    process.exit();
  }, READ_MS).unref();
}

/** Time for what was written to be read. */
const READ_MS = 1_000;
