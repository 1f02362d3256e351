// Makes the trouble: one signal to a proved process, one request, or a crowd of busy loops.
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import type { ProcessIdentity } from '../../lease/lease-store.ts';
import { monotonicNow } from '../../runtime/clock.ts';
import { humanMs } from '../../core/duration-text.ts';
import { ask } from '../client.ts';
import { uncapitalized } from '../say.ts';
import type { DrillFault } from './faults.ts';
import { guardStopped, startLoops } from './guard.ts';
import type { Scene, SceneNode } from './scene.ts';
import { signalProcess } from './signal-process.ts';

/** A fault that is under way. */
export interface Trouble {
  /** When it began, on the monotonic clock of the machine, ms. */
  readonly atMs: number;
  /** What a node answered instead of doing what it was asked; null: nothing of that kind. */
  readonly refusal: () => string | null;
  /** Undoes what has to be undone: what was stopped goes on, loops end. Idempotent, never throws. */
  readonly end: () => Promise<void>;
}

export interface TroubleOptions {
  readonly options: ClientOptions;
  readonly loops: number;
  readonly starveMs: number;
  /** When the trouble ends at the latest, ms from now, whatever becomes of the drill. */
  readonly limitMs: number;
  readonly tell: (text: string) => void;
}

/** @throws FAILOVER_NOT_PERMITTED, FAILOVER_REFUSED when what was to be hit is gone; nothing was done then */
export function makeTrouble(
  fault: DrillFault,
  scene: Scene,
  options: TroubleOptions,
): Promise<Trouble> {
  const { primary } = scene;
  switch (fault) {
    case 'crash':
      return Promise.resolve(kill(primary.supervisor, `SIGKILL to ${nameOf(primary)}`, options));
    case 'workload-crash':
      return Promise.resolve(
        kill(workloadOf(primary), `SIGKILL to the workload of ${primary.id}`, options),
      );
    case 'hang':
      return hang(primary, options);
    case 'starve':
      return starve(options);
    case 'switchover':
      return Promise.resolve(switchOver(scene, options));
  }
}

const NO_REFUSAL = (): null => null;

function kill(target: ProcessIdentity, what: string, { tell }: TroubleOptions): Trouble {
  tell(what);
  const atMs = monotonicNow();
  if (!signalProcess(target, 'SIGKILL')) throw gone(what);
  return { atMs, refusal: NO_REFUSAL, end: () => Promise.resolve() };
}

async function hang(primary: SceneNode, { limitMs, tell }: TroubleOptions): Promise<Trouble> {
  const { supervisor } = primary;
  const guard = await guardStopped(supervisor, limitMs);
  const end = async (): Promise<void> => {
    // The guard does it too; without it this is the way.
    try {
      signalProcess(supervisor, 'SIGCONT');
    } finally {
      await guard.release();
    }
  };
  const what = `SIGSTOP to ${nameOf(primary)}`;
  tell(what);
  const atMs = monotonicNow();
  try {
    if (!signalProcess(supervisor, 'SIGSTOP')) throw gone(what);
  } catch (error) {
    await guard.release();
    throw error;
  }
  return { atMs, refusal: NO_REFUSAL, end };
}

async function starve({ loops, starveMs, tell }: TroubleOptions): Promise<Trouble> {
  tell(`${String(loops)} busy loops for ${humanMs(starveMs)}`);
  const atMs = monotonicNow();
  const guard = await startLoops(loops, starveMs + LOOPS_MARGIN_MS);
  return { atMs, refusal: NO_REFUSAL, end: () => guard.release() };
}

/** The drill ends them itself: their own limit comes later. */
const LOOPS_MARGIN_MS = 5_000;

function switchOver({ primary, secondaries }: Scene, options: TroubleOptions): Trouble {
  const [next] = secondaries;
  if (next === undefined) throw gone('promote the next in succession');
  options.tell(`promote ${next.id} in place of ${primary.id}`);
  let refusal: string | null = null;
  const atMs = monotonicNow();
  const { group } = options.options;
  const request = new AbortController();
  const asked = ask(next.record, {
    group,
    method: 'instance.promote',
    params: { force: false },
    timeoutMs: options.limitMs,
    signal: request.signal,
  }).catch((error: unknown) => {
    const fact = error instanceof FailoverError ? error.message : String(error);
    refusal = `${next.id} was not promoted: ${uncapitalized(fact.replace(/\.$/, ''))}`;
  });
  const end = async (): Promise<void> => {
    request.abort();
    await asked;
  };
  return { atMs, refusal: () => refusal, end };
}

/** The recorded leader of the session that is active now: its pid alone could be a stranger's. */
function workloadOf({ id, record, workloadPid }: SceneNode): ProcessIdentity {
  const session = record.sessions.find(({ kind, active, process: { pid } }) => {
    return kind === 'workload' && active && pid === workloadPid;
  });
  if (session === undefined) throw gone(`signal the workload of ${id}`);
  return session.process;
}

function nameOf({ id, supervisor }: SceneNode): string {
  return `${id} (pid ${String(supervisor.pid)})`;
}

function gone(what: string): FailoverError {
  return new FailoverError('FAILOVER_REFUSED', `Cannot drill: ${what} came too late, it is gone`);
}
