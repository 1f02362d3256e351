// Makes the trouble: one signal to a proved process, one request, or a crowd of busy loops.
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import { defaultStateDir } from '../../config/state-dir.ts';
import { peekGroup } from '../../lease/file/peek.ts';
import type { NodeRecord, ProcessIdentity } from '../../lease/lease-store.ts';
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
  switch (fault) {
    case 'crash':
      return Promise.resolve(crash(scene, options));
    case 'workload-crash':
      return Promise.resolve(crashWorkload(scene, options));
    case 'hang':
      return hang(scene, options);
    case 'starve':
      return starve(options);
    case 'switchover':
      return Promise.resolve(switchOver(scene, options));
  }
}

const NO_REFUSAL = (): null => null;

function crash(scene: Scene, options: TroubleOptions): Trouble {
  const { primary } = scene;
  options.tell(`SIGKILL to ${nameOf(primary)}`);
  requireLeader(scene, options);
  return kill(primary.supervisor);
}

/** The recorded leader of the session that is active now: its pid alone could be a stranger's. */
function crashWorkload(scene: Scene, options: TroubleOptions): Trouble {
  const { id, workloadPid } = scene.primary;
  options.tell(`SIGKILL to the workload of ${id}`);
  const session = requireLeader(scene, options).sessions.find(
    ({ kind, active, process: { pid } }) => {
      return kind === 'workload' && active && pid === workloadPid;
    },
  );
  if (session === undefined) throw tooLate(`the workload of ${id} has been replaced`);
  return kill(session.process);
}

function kill(target: ProcessIdentity): Trouble {
  const atMs = monotonicNow();
  if (!signalProcess(target, 'SIGKILL')) throw tooLate(`pid ${String(target.pid)} is gone`);
  return { atMs, refusal: NO_REFUSAL, end: () => Promise.resolve() };
}

async function hang(scene: Scene, options: TroubleOptions): Promise<Trouble> {
  const { supervisor } = scene.primary;
  const guard = await guardStopped(supervisor, options.limitMs);
  const end = async (): Promise<void> => {
    // The guard does it too; without it this is the way.
    try {
      signalProcess(supervisor, 'SIGCONT');
    } finally {
      await guard.release();
    }
  };
  options.tell(`SIGSTOP to ${nameOf(scene.primary)}`);
  try {
    requireLeader(scene, options);
    const atMs = monotonicNow();
    if (!signalProcess(supervisor, 'SIGSTOP')) throw tooLate('the primary is gone');
    return { atMs, refusal: NO_REFUSAL, end };
  } catch (error) {
    await guard.release();
    throw error;
  }
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
  if (next === undefined) throw tooLate('there is no next node any more');
  options.tell(`promote ${next.id} instead of ${primary.id}`);
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
    refusal = `${next.id} was not promoted: ${uncapitalized(fact)}`;
  });
  const end = async (): Promise<void> => {
    request.abort();
    await asked;
  };
  return { atMs, refusal: () => refusal, end };
}

/**
 * The primary's own record, read now.
 *
 * @throws FAILOVER_REFUSED when another leads by now: it is not the one that was to be hit
 */
function requireLeader({ primary, group, epoch }: Scene, { options }: TroubleOptions): NodeRecord {
  const peek = peekGroup(options.stateDir ?? defaultStateDir(), group);
  const leads = peek?.observation.epoch === epoch && peek.observation.holder?.run === primary.run;
  const record = leads ? peek.nodes.find(({ run }) => run === primary.run) : undefined;
  if (record === undefined) throw tooLate(`${primary.id} no longer leads`);
  return record;
}

function nameOf({ id, supervisor }: SceneNode): string {
  return `${id} (pid ${String(supervisor.pid)})`;
}

function tooLate(fact: string): FailoverError {
  return new FailoverError('FAILOVER_REFUSED', `Cannot drill: too late, ${fact}`);
}
