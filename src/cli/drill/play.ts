// One round of one fault: waits for a group that is fit for it, makes the trouble, and sees what comes of it.
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import { isAlive } from '../../fence/process-identity.ts';
import { monotonicNow } from '../../runtime/clock.ts';
import { lookAtGroup, primaryOf } from '../client.ts';
import type { SeenNode } from '../client.ts';
import { boundOf } from './bounds.ts';
import type { Bound } from './bounds.ts';
import type { PlayedRound } from './certificate.ts';
import { expectationOf, losesNode } from './faults.ts';
import type { DrillFault } from './faults.ts';
import { obstacleNow } from './plan.ts';
import { startRestart, until } from './restore.ts';
import type { Sampler } from './sampler.ts';
import { sceneOf } from './scene.ts';
import type { Scene, SceneNode } from './scene.ts';
import { makeTrouble } from './trouble.ts';
import type { Trouble } from './trouble.ts';
import { maySignal } from './signal-process.ts';
import type { Leader, Outcome } from './verdict.ts';

export interface DrillContext {
  readonly options: ClientOptions;
  readonly allowMixedVersions: boolean;
  readonly withinMs: number | null;
  /** How long each step may take beyond its bound, ms. */
  readonly timeoutMs: number;
  readonly restartCommand: string | null;
  readonly loops: number;
  readonly starveMs: number;
  readonly sampler: Sampler;
  /** Aborted by Ctrl-C. */
  readonly interruption: AbortSignal;
  readonly tell: (text: string) => void;
  /** Remembers how each node that was met is set. */
  readonly meet: (nodes: readonly SceneNode[]) => void;
}

/** What became of a round; null: it was interrupted before anything was done, or while it was. */
export type RoundResult = PlayedRound | { readonly left: string } | null;

/**
 * Plays one round. What it stopped goes on when it returns or throws, whatever happened.
 *
 * @throws what forbids to go on: a group that is not fit for more trouble, a signal that is refused
 */
export async function playRound(fault: DrillFault, context: DrillContext): Promise<RoundResult> {
  const { restartCommand, interruption } = context;
  const scene = await awaitScene(context, 1);
  if (scene === null) return null;
  const obstacle = obstacleNow(fault, scene, restartCommand !== null);
  if (obstacle !== null) return { left: obstacle };
  const bound = boundOf(fault, scene);
  const overlapsBefore = context.sampler.overlaps.length;
  context.sampler.noteHolders();
  context.sampler.look();
  context.sampler.takeWatched();
  const trouble = await makeTrouble(fault, scene, {
    ...context,
    limitMs: (bound?.ms ?? 0) + context.timeoutMs,
  });
  let outcome: Outcome | null;
  try {
    outcome = await awaitOutcome({ fault, scene, bound, trouble }, context);
  } finally {
    await trouble.end();
  }
  if (outcome === null) {
    // Interrupted, and perhaps with a node less: whoever gave a command for that wants it back.
    await restore(fault, scene, context);
    return null;
  }
  // What goes on after the start is looked at too: an overlap may come late.
  await until(never, { limitMs: DWELL_MS, signal: interruption });
  context.sampler.look();
  const overlaps = context.sampler.overlaps.slice(overlapsBefore);
  const watched = context.sampler.takeWatched();
  context.sampler.noteHolders();
  const problems = await restore(fault, scene, context);
  return { outcome: { ...outcome, overlaps }, watched, problems };
}

/**
 * The group once it is fit for a drill and so many secondaries stand by; null: it was interrupted.
 *
 * @throws what stands in the way when the time is over
 */
export async function awaitScene(context: DrillContext, standbys: number): Promise<Scene | null> {
  const { options, allowMixedVersions, interruption, timeoutMs } = context;
  const seen: { scene: Scene | null; obstacle: FailoverError | null } = {
    scene: null,
    obstacle: null,
  };
  const look = async (): Promise<boolean> => {
    try {
      const scene = sceneOf(await lookAtGroup(options), { maySignal, allowMixedVersions });
      context.meet(scene.nodes);
      Object.assign(seen, { scene, obstacle: null });
      return scene.secondaries.length >= standbys;
    } catch (error) {
      if (!(error instanceof FailoverError)) throw error;
      seen.obstacle = error;
      return false;
    }
  };
  await until(look, { limitMs: timeoutMs, signal: interruption });
  if (interruption.aborted) return null;
  if (seen.obstacle !== null) throw seen.obstacle;
  return seen.scene;
}

interface Played {
  readonly fault: DrillFault;
  readonly scene: Scene;
  readonly bound: Bound | null;
  readonly trouble: Trouble;
}

/** Null: it was interrupted. */
async function awaitOutcome(
  { fault, scene, bound, trouble }: Played,
  context: DrillContext,
): Promise<Outcome | null> {
  const { interruption, options } = context;
  const expected = expectationOf(fault, scene.primary);
  const before = leaderOf(scene.primary, scene.epoch);
  const limitMs = (bound?.ms ?? 0) + context.timeoutMs;
  const serving = async (): Promise<SeenNode | null> => {
    return servingIn(primaryOf(await lookAtGroup(options)));
  };
  const seen: { leader: SeenNode | null } = { leader: null };
  const look = async (): Promise<boolean> => {
    const leader = await serving();
    seen.leader = leader;
    if (leader === null || expected === 'no-change') return leader !== null;
    // Where it was refused nothing changes, and the old one goes on.
    return isAfter(leader, before) || trouble.refusal() !== null;
  };
  if (expected === 'no-change') {
    await until(never, { limitMs: context.starveMs, signal: interruption });
    // An answer that is late because of the load would look like no answer.
    await trouble.end();
  }
  await until(look, { limitMs, signal: interruption });
  if (interruption.aborted) return null;
  const { leader } = seen;
  const waitedMs = monotonicNow() - trouble.atMs;
  const ends = fault === 'crash' || fault === 'hang';
  return {
    fault,
    expected,
    before,
    after: leader === null ? null : leaderSeen(leader, before),
    ...(expected === 'no-change' ? NOT_TIMED : timesOf(leader, { before, trouble, fault })),
    waitedMs,
    bound,
    withinMs: context.withinMs,
    isGone: ends ? await isGone(scene.primary, context) : null,
    refusal: trouble.refusal(),
    overlaps: [],
  };
}

/** How long a fault is watched after its outcome, ms: some twenty looks. */
const DWELL_MS = 200;

const never = (): Promise<boolean> => Promise.resolve(false);

const NOT_TIMED = { tookMs: null, downtimeMs: null };

function servingIn(node: SeenNode | null): SeenNode | null {
  return node?.status?.role === 'primary' && node.status.phase === 'serving' ? node : null;
}

function isAfter({ status }: SeenNode, before: Leader): boolean {
  return status !== null && status.epoch > before.epoch;
}

function leaderOf({ id, run }: SceneNode, epoch: number): Leader {
  return { node: id, run, epoch };
}

function leaderSeen({ record, status }: SeenNode, before: Leader): Leader {
  return { node: record.node, run: record.run, epoch: status?.epoch ?? before.epoch };
}

/** By the monotonic clock of the machine, which the nodes and the drill read alike. */
function timesOf(
  leader: SeenNode | null,
  {
    before,
    trouble,
    fault,
  }: { readonly before: Leader; readonly trouble: Trouble; readonly fault: DrillFault },
): Pick<Outcome, 'tookMs' | 'downtimeMs'> {
  const status = leader?.status ?? null;
  const activation = status?.activation ?? null;
  if (status === null || activation?.epoch !== status.epoch || status.epoch <= before.epoch) {
    return NOT_TIMED;
  }
  const tookMs = activation.atMs - trouble.atMs;
  if (fault !== 'switchover') return { tookMs, downtimeMs: tookMs };
  // The old workload serves on until it is stopped: only the new primary knows from when to count.
  const { lastTakeover } = status;
  return { tookMs, downtimeMs: lastTakeover?.epoch === status.epoch ? lastTakeover.gapMs : null };
}

/** What was killed may take a moment to be gone, as the kernel closes its files. */
function isGone({ supervisor }: SceneNode, { interruption }: DrillContext): Promise<boolean> {
  const look = (): Promise<boolean> => Promise.resolve(!isAlive(supervisor));
  return until(look, { limitMs: GONE_LIMIT_MS, signal: interruption });
}

const GONE_LIMIT_MS = 5_000;

/**
 * Has a lost node brought back, where there is a command for it; the problems with that. After Ctrl-C it
 * is started and not waited for.
 */
async function restore(
  fault: DrillFault,
  { primary, secondaries }: Scene,
  context: DrillContext,
): Promise<readonly string[]> {
  const { restartCommand, options, tell } = context;
  if (restartCommand === null || !losesNode(fault, primary)) return [];
  // One that was hung and not fenced is still there.
  if (!(await isGone(primary, context)) && isAlive(primary.supervisor)) return [];
  tell(`bringing ${primary.id} back with --restart-command`);
  const command = startRestart(restartCommand, { ...options, node: primary.id });
  const wanted = secondaries.length;
  const [standbys, obstacle] = await countStandbys(context, wanted);
  if (standbys === null || standbys >= wanted) return [];
  const why = command.failure === null ? '' : ` (its end: ${command.failure})`;
  const state = obstacle ?? `${String(standbys)} stand by, and ${String(wanted)} did before`;
  return [`${primary.id} did not come back by --restart-command${why}: ${state}`];
}

/** How many stand by once that many are wanted; null: it was interrupted. And what is wrong with them. */
async function countStandbys(
  context: DrillContext,
  wanted: number,
): Promise<readonly [number | null, string | null]> {
  try {
    const scene = await awaitScene(context, wanted);
    return [scene?.secondaries.length ?? null, null];
  } catch (error) {
    if (!(error instanceof FailoverError)) throw error;
    return [0, error.message.replace(/^Cannot drill: /, '')];
  }
}
