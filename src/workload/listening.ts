// Whether a program listens for a signal yet: one that has just started would die of it.
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** How long after its start a program is waited for, ms: after that what it does is its own affair. */
const START_LIMIT_MS = 10_000;

/** How many looks, one after the other, have to find a signal blocked by a process that sleeps. */
const BLOCKED_LOOKS = 3;

/**
 * Waits until a process that was started at `startedAtMs` handles, ignores, blocks or awaits a signal, so
 * that the signal tells it something and does not end it. Resolves also when its time to start is over.
 */
export async function awaitListening(
  signal: NodeJS.Signals,
  started: { readonly pid: number; readonly atMs: number; readonly isOver: () => boolean },
): Promise<void> {
  const untilMs = started.atMs + START_LIMIT_MS;
  let blockedLooks = 0;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 25)) {
    const attention = attentionOf(started.pid, signal);
    if (attention === 'pays') return;
    // Every program blocks all signals for an instant, as while it makes a thread: then one waits, and
    // ends it as soon as the instant is over. Blocked for good is what a sleeping program has blocked.
    blockedLooks = attention === 'blocks' ? blockedLooks + 1 : 0;
    if (blockedLooks === BLOCKED_LOOKS) return;
    if (started.isOver() || performance.now() >= untilMs) return;
    await delay(pauseMs);
  }
}

/** The signals that end nobody, whether or not anyone listens: nothing shows who does. */
const HARMLESS: ReadonlySet<string> = new Set(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH']);

/** What a signal would meet: `blocks` is one that sleeps and has it blocked at this moment. */
function attentionOf(pid: number, signal: NodeJS.Signals): 'pays' | 'blocks' | 'none' {
  if (HARMLESS.has(signal)) return 'pays';
  const status = read(pid, 'status');
  // The process has ended, or the system has no such file: nothing to wait for.
  if (status === null) return 'pays';
  const bit = 1n << BigInt(constants.signals[signal] - 1);
  const isIn = (masks: RegExp): boolean =>
    [...status.matchAll(masks)].some(([, mask]) => (BigInt(`0x${mask ?? '0'}`) & bit) !== 0n);
  if (isIn(/^Sig(?:Ign|Cgt):\s*([0-9a-f]+)$/gm)) return 'pays';
  // In sigwait() the kernel takes what is awaited off the mask of what is blocked.
  if (read(pid, 'wchan')?.startsWith('do_sigtimedwait') === true) return 'pays';
  const sleeps = /^State:\s*S/m.test(status);
  return sleeps && isIn(/^SigBlk:\s*([0-9a-f]+)$/gm) ? 'blocks' : 'none';
}

function read(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`, 'latin1');
  } catch {
    return null;
  }
}
