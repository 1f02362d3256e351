// How a process that ran nodes ends: with the code that it has said, and whatever a file system does.

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
export function endUnanswered(): void {
  setTimeout(() => {
    process.kill(process.pid, 'SIGKILL');
  }, UNANSWERED_MS).unref();
}

/** Longer than what is under way takes where it is answered. */
const UNANSWERED_MS = 2_000;
