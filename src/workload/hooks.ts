// Runs promote and demote commands: time-limited, recorded, gone when their supervisor is, and emptied.
import { performance } from 'node:perf_hooks';
import { formatDuration } from '../config/duration.ts';
import { messageOf } from '../error-message.ts';
import { TIMER_LIMIT_MS } from '../runtime/clock.ts';
import type { HookResult, WorkloadEnd } from '../runtime/ports.ts';
import { Emptying } from './emptying.ts';
import type { GateMessage } from './environment.ts';
import type { GatedProcess, SpawnGated } from './gate.ts';
import type { OutputSink } from './output.ts';
import { emptySessions, livingMembers } from './living-members.ts';
import type { SessionBook } from './session-book.ts';

export interface HookRequest {
  readonly name: 'promote' | 'demote';
  /** Run by `sh -c`. */
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly message: GateMessage;
  readonly lockFd: number | null;
  readonly deathSignal: boolean;
  readonly timeoutMs: number;
  readonly output: OutputSink;
  readonly spawn: SpawnGated;
  /** Whether it was overtaken by a stop, and must not start any more. */
  readonly isCancelled: () => boolean;
  /** Called right before it runs. */
  readonly onBegin: () => void;
}

/** How long a hook that ran out of time may clean up before it is killed, ms. */
export const HOOK_GRACE_MS = 1000;

/**
 * Runs a hook to its end, and what it left behind. Never rejects: what went wrong is in the result.
 * Whoever empties the book's sessions meanwhile ends the hook.
 */
export async function runHook(request: HookRequest, book: SessionBook): Promise<HookResult> {
  const startedMs = performance.now();
  let gated: GatedProcess;
  try {
    gated = await request.spawn({
      command: ['sh', '-c', request.command],
      environment: request.environment,
      lockFd: request.lockFd,
      deathSignal: request.deathSignal ? 'KILL' : null,
      output: request.output.mode,
    });
    startRecorded(gated, request, book);
  } catch (error) {
    const detail = messageOf(error);
    return { ok: false, detail: `could not be started: ${detail}` };
  }
  const end = await endWithin(gated, request.timeoutMs);
  const tookMs = performance.now() - startedMs;
  await empty(gated, book);
  if (end === null)
    return { ok: false, detail: `timed out after ${formatDuration(request.timeoutMs)}` };
  return { ok: end.exitCode === 0, detail: `${describeEnd(end)} after ${formatDuration(tookMs)}` };
}

/** Records the hook, then lets it run; a hook that can't be recorded does not run. */
function startRecorded(gated: GatedProcess, request: HookRequest, book: SessionBook): void {
  try {
    if (request.isCancelled()) throw new Error('the workload is stopping');
    book.add({
      process: gated.identity,
      kind: 'hook',
      active: true,
      keep: false,
      stopsWithSupervisor: false,
    });
  } catch (error) {
    gated.close();
    throw error;
  }
  gated.onEnd((_, atMs) => {
    book.markEnded(gated.identity.pid, atMs);
  });
  request.output.pass(gated);
  request.onBegin();
  gated.open(request.message);
}

/** How a process ended, as a phrase: `exit code 3`, `died of SIGSEGV`. */
export function describeEnd(end: WorkloadEnd): string {
  return end.signal === null ? `exit code ${String(end.exitCode)}` : `died of ${end.signal}`;
}

/** The hook's end, or null when the time is up first. */
function endWithin(gated: GatedProcess, timeoutMs: number): Promise<WorkloadEnd | null> {
  return new Promise((resolve) => {
    const ended = gated.end();
    if (ended !== null) {
      resolve(ended);
      return;
    }
    const timer = setTimeout(
      () => {
        resolve(null);
      },
      Math.min(timeoutMs, TIMER_LIMIT_MS),
    );
    gated.onEnd((end) => {
      clearTimeout(timer);
      resolve(end);
    });
  });
}

/** Ends what is left of the hook's session, and forgets the session once nothing is. */
async function empty(gated: GatedProcess, book: SessionBook): Promise<void> {
  const { pid } = gated.identity;
  const own = book.records().filter((record) => record.process.pid === pid);
  const emptying = new Emptying(() => own, HOOK_GRACE_MS);
  gated.onEnd(() => {
    emptying.look();
  });
  await emptying.done;
  book.markEnded(pid, null);
  try {
    if (livingMembers(own).length === 0) book.drop(emptySessions(own));
  } catch {
    // Nothing was left to look with: it stays on record until somebody can.
  }
}
