// `failover drill`: makes trouble on the user's own group, with consent, and certifies how it came through.
import { createInterface } from 'node:readline';
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import { monotonicNow } from '../../runtime/clock.ts';
import { packageVersion } from '../../version.ts';
import { directoryOf, lookAtGroup, primaryOf } from '../client.ts';
import type { GroupSnapshot } from '../client.ts';
import { certificateOf } from '../drill/certificate.ts';
import type { Certificate, DrillRecord, PlayedRound } from '../drill/certificate.ts';
import type { DrillFault } from '../drill/faults.ts';
import { readDrillOptions } from '../drill/options.ts';
import type { DrillOptions } from '../drill/options.ts';
import { planDrill } from '../drill/plan.ts';
import type { PlannedFault } from '../drill/plan.ts';
import { awaitScene, playRound } from '../drill/play.ts';
import type { DrillContext } from '../drill/play.ts';
import { Sampler } from '../drill/sampler.ts';
import { sceneOf } from '../drill/scene.ts';
import type { Scene, SceneNode } from '../drill/scene.ts';
import { takeTurn } from '../drill/turn.ts';
import { forbidsMore } from '../drill/verdict.ts';
import { maySignal } from '../drill/signal-process.ts';
import { certificateLines, planLines, roundLine } from '../render/certificate-text.ts';
import { whenOutputIsLost } from '../output.ts';
import { colorLevel } from '../render/color.ts';
import { paintFor } from '../render/plain.ts';
import { note } from '../say.ts';

/** What the process ends with when something did not hold or was not tried. */
const NOT_HELD = 8;

/**
 * Drills the group and prints the certificate; the exit code says whether everything held.
 *
 * @throws FAILOVER_BAD_OPTION, FAILOVER_NO_PRIMARY, FAILOVER_REFUSED, FAILOVER_NOT_PERMITTED and, without
 *   consent, FAILOVER_USAGE: nothing was touched then
 */
export async function drill(
  client: ClientOptions,
  flags: Readonly<Record<string, unknown>>,
): Promise<void> {
  const options = readDrillOptions(client, flags);
  const snapshot = await lookAtGroup(options);
  const { paths } = snapshot;
  const scene = sceneOf(snapshot, { ...options, maySignal });
  const plan = planDrill(scene, { ...options, restores: options.restartCommand !== null });
  for (const line of planLines(scene, plan, options)) process.stderr.write(`${line}\n`);
  if (paths === null || plan.every(({ skipped }) => skipped !== null))
    throw nothingToDo(plan, options);
  if (!options.yes) await askConsent();
  const turn = takeTurn(paths, options.group);
  const certificate = await run({
    ...{ options, snapshot, scene, plan },
    sampler: new Sampler(paths),
  }).finally(turn.end);
  if (options.json) process.stdout.write(`${JSON.stringify(certificate, null, 2)}\n`);
  else {
    const paint = await paintFor(colorLevel(process.stdout));
    process.stdout.write(`${certificateLines(certificate, paint).join('\n')}\n`);
  }
  if (certificate.interrupted) process.exitCode = 130;
  else if (certificate.verdict !== 'held') process.exitCode = NOT_HELD;
}

interface Drill {
  readonly options: DrillOptions;
  readonly snapshot: GroupSnapshot;
  readonly scene: Scene;
  readonly plan: readonly PlannedFault[];
  readonly sampler: Sampler;
}

/** What has been seen so far. */
interface Progress {
  readonly played: PlayedRound[];
  readonly leftOut: { readonly fault: DrillFault; readonly why: string }[];
  /** Each node as it was set, by that. */
  readonly nodes: Map<string, SceneNode>;
  endedBecause: string | null;
}

/** The whole drill, from the consent to the certificate. Signals end it in order. */
async function run({ options, snapshot, scene, plan, sampler }: Drill): Promise<Certificate> {
  const startedAt = new Date().toISOString();
  const startedAtMs = monotonicNow();
  const progress: Progress = { played: [], leftOut: [], nodes: new Map(), endedBecause: null };
  const interruption = obeySignals();
  const context: DrillContext = {
    ...options,
    options,
    sampler,
    interruption: interruption.signal,
    tell: note,
    meet: (nodes) => {
      for (const node of nodes) progress.nodes.set(settingsKey(node), node);
    },
  };
  context.meet(scene.nodes);
  sampler.start();
  try {
    await playAll({ plan, rounds: options.rounds, context, progress });
    await settle(context);
  } finally {
    sampler.stop();
    interruption.ignore();
  }
  const last = await lookAtGroup(options);
  const leader = primaryOf(last);
  const record: DrillRecord = {
    ...options,
    directory: directoryOf(snapshot),
    version: packageVersion(),
    startedAt,
    tookMs: monotonicNow() - startedAtMs,
    interrupted: interruption.signal.aborted,
    endedBecause: progress.endedBecause,
    plan,
    played: progress.played,
    leftOut: progress.leftOut,
    primary: {
      before: scene.primary.id,
      after: leader?.status?.role === 'primary' ? leader.record.node : null,
    },
    epochs: { before: scene.epoch, after: last.observation.epoch },
    sampling: sampler.report(),
    nodes: [...progress.nodes.values()],
  };
  return certificateOf(record);
}

/** A node that came back as it was is told of once. */
function settingsKey({ id, version, standby, setup }: SceneNode): string {
  return JSON.stringify([id, version, standby, setup]);
}

/** Round by round, each fault once in each: the roles move on between two rounds of the same. */
async function playAll(drill: {
  readonly plan: readonly PlannedFault[];
  readonly rounds: number;
  readonly context: DrillContext;
  readonly progress: Progress;
}): Promise<void> {
  const { context, progress } = drill;
  const faults = drill.plan.flatMap(({ fault, skipped }) => (skipped === null ? fault : []));
  const order = Array.from({ length: drill.rounds }, () => faults).flat();
  try {
    for (const fault of order) {
      const result = await playRound(fault, context);
      if (result === null) return;
      if ('left' in result) {
        progress.leftOut.push({ fault, why: result.left });
        context.tell(`${fault}: skipped, ${result.left}`);
        continue;
      }
      progress.played.push(result);
      context.tell(roundLine(result));
      if (forbidsMore(result.outcome) || result.problems.length > 0) {
        progress.endedBecause = `${fault} did not hold: no more faults are injected`;
        return;
      }
    }
  } catch (error) {
    if (!(error instanceof FailoverError)) throw error;
    // What has been seen so far is worth a certificate.
    progress.endedBecause = error.message;
  }
}

/** Gives the group the time to come to rest, and says what is left wrong with it. */
async function settle(context: DrillContext): Promise<void> {
  const timeoutMs = context.interruption.aborted ? LAST_LOOK_MS : context.timeoutMs;
  try {
    await awaitScene({ ...context, timeoutMs, interruption: NEVER.signal }, 1);
  } catch (error) {
    if (!(error instanceof FailoverError)) throw error;
    note(error.message.replace('Cannot drill', 'At the end'));
  }
}

/** Who has pressed Ctrl-C waits no longer for a group in the middle of a takeover, ms. */
const LAST_LOOK_MS = 2_000;

const NEVER = new AbortController();

/** Ctrl-C ends the drill in order, as the loss of its reader does. Ctrl-Z would leave the group in the middle of a fault: not now. */
function obeySignals(): { readonly signal: AbortSignal; readonly ignore: () => void } {
  const controller = new AbortController();
  const interrupt = (): void => {
    controller.abort();
  };
  const stay = (): void => {
    note('a drill cannot be suspended during a fault: end it with Ctrl-C.');
  };
  const ends = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of ends) process.on(name, interrupt);
  whenOutputIsLost(interrupt);
  process.on('SIGTSTP', stay);
  return {
    signal: controller.signal,
    ignore: () => {
      for (const name of ends) process.removeListener(name, interrupt);
      process.removeListener('SIGTSTP', stay);
    },
  };
}

/** @throws FAILOVER_USAGE unless a person agrees on a terminal */
async function askConsent(): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new FailoverError(
      'FAILOVER_USAGE',
      'Cannot drill: it would do this to running nodes, and that was not confirmed',
      { hint: 'Use --yes, or run it on a terminal.' },
    );
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    // Ctrl-C and Ctrl-D are a no.
    lines.once('close', () => {
      resolve('');
    });
    lines.question('Do this now? [y/N] ', resolve);
  });
  lines.close();
  if (/^y(?:es)?$/i.test(answer.trim())) return;
  throw new FailoverError('FAILOVER_USAGE', 'Cannot drill: not confirmed; nothing was touched', {
    hint: 'Answer y, or use --yes.',
  });
}

function nothingToDo(plan: readonly PlannedFault[], { group }: ClientOptions): FailoverError {
  const reasons = plan.map(({ fault, skipped }) => `${fault}: ${String(skipped)}`).join('; ');
  return new FailoverError(
    'FAILOVER_REFUSED',
    `Cannot drill: every fault is skipped (${reasons})`,
    { details: { group } },
  );
}
