// Whether a program listens for a signal yet: one that has just started would die of it.
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** How long after its start a program is waited for, ms: after that what it does is its own affair. */
const START_LIMIT_MS = 10_000;

/**
 * Waits until a process that was started at `startedAtMs` handles, ignores, blocks or awaits a signal, so
 * that the signal tells it something and does not end it. Resolves also when its time to start is over.
 */
export async function awaitListening(
  signal: NodeJS.Signals,
  started: { readonly pid: number; readonly atMs: number; readonly isOver: () => boolean },
): Promise<void> {
  const untilMs = started.atMs + START_LIMIT_MS;
  for (let pauseMs = 1; !wouldTake(started.pid, signal); pauseMs = Math.min(pauseMs * 2, 25)) {
    if (started.isOver() || performance.now() >= untilMs) return;
    await delay(pauseMs);
  }
}

/** The signals that end nobody, whether or not anyone listens: nothing shows who does. */
const HARMLESS: ReadonlySet<string> = new Set(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH']);

function wouldTake(pid: number, signal: NodeJS.Signals): boolean {
  if (HARMLESS.has(signal)) return true;
  const status = read(pid, 'status');
  // It has ended, or the system has no such file: nothing to wait for.
  if (status === null) return true;
  const bit = 1n << BigInt(constants.signals[signal] - 1);
  const masks = [...status.matchAll(/^Sig(?:Blk|Ign|Cgt):\s*([0-9a-f]+)$/gm)];
  if (masks.some(([, mask]) => (BigInt(`0x${mask ?? '0'}`) & bit) !== 0n)) return true;
  // In sigwait() the kernel takes what is awaited off the mask of what is blocked.
  return read(pid, 'wchan')?.startsWith('do_sigtimedwait') === true;
}

function read(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`, 'latin1');
  } catch {
    return null;
  }
}
