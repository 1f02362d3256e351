// What becomes of a command whose output can't be written any more.
import { closeSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Told 0 when the reader is gone, which is no failure of ours, and 1 when the output could not be written. */
type End = (exitCode: 0 | 1) => void;

/** A command that has nothing to end first. What it found out before says more than that nobody listens. */
let end: End = (exitCode) => process.exit(Math.max(Number(process.exitCode ?? 0), exitCode));

/** For a command that has started something to be ended first, or that goes on without a reader. */
export function whenOutputIsLost(then: End): void {
  end = then;
}

/** Watches stdout and stderr to the end of the process. */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      lose(error, stream.isTTY);
    });
  }
  process.on('exit', leaveTerminals);
}

/** EPIPE: the reader has seen enough (`failover status | head -1`). EIO: the terminal was closed, or a disk failed. */
function lose(error: NodeJS.ErrnoException, isTerminal: boolean): void {
  if (error.code === 'EPIPE' || (error.code === 'EIO' && isTerminal)) {
    end(0);
    return;
  }
  // Once: where stderr itself can't be written, each attempt to say so fails in turn.
  if (!isTold) {
    isTold = true;
    process.stderr.write(`failover: Cannot write the output: ${error.message}\n`);
  }
  end(1);
}

let isTold = false;

/** At its end Node restores the terminals it was started on, and aborts where one has been closed since. */
function leaveTerminals(): void {
  for (const fd of [0, 1, 2]) {
    try {
      if (fstatSync(fd).isCharacterDevice() && !isatty(fd)) closeSync(fd);
    } catch {
      // It is closed already.
    }
  }
}
