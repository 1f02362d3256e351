// A primary whose workload runs and does not serve: it hands over to a node that could, or starts it again here.
import { beginDemotion } from './demotion.ts';
import { recentStandbys, successionOf } from './election-order.ts';
import { holdMs, nextDemotionAt, withDemotion } from './health.ts';
import { move, stay } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { recentRestarts, restartsText } from './restart-policy.ts';
import { restartRunning } from './restarting.ts';
import type { Settings } from './settings.ts';
import type { PrimaryState } from './state.ts';
import { healthRank } from './yielding.ts';

type Serving = Extract<PrimaryState, { phase: 'serving' }>;

/**
 * Asked anew with each check that fails, as those who could lead may come later than the fall.
 *
 * @param isNew whether it has just fallen
 */
export function whenUnhealthy(
  state: Serving,
  { isNew }: { readonly isNew: boolean },
  settings: Settings,
): Outcome {
  const successor = fitSuccessor(state, settings);
  const against = handsOverNotBecause(state, successor, settings);
  if (successor !== null && against === null) return handOver(state, successor, settings);
  const noRestart = restartsNotBecause(state, settings);
  if (noRestart === null) return restartRunning(state, { detail: faultOf(state), settings });
  const warning = `${BEGINNING} (${faultOf(state)}) and keeps running: ${against ?? ''}; ${noRestart}`;
  const told: Serving = { ...state, warning };
  return isNew ? move('workload-fell', { state: told, detail: faultOf(state) }) : stay(told);
}

/** The workload serves again. */
export function whenFit(state: Serving): Outcome {
  const isOver = state.warning?.startsWith(BEGINNING) === true;
  return move('workload-rose', { state: { ...state, warning: isOver ? null : state.warning } });
}

const BEGINNING = 'the workload is unhealthy';

function faultOf({ health }: Serving): string {
  return health.fault ?? 'no reason given';
}

/** The first in succession that would take over and is known to be healthy, or is not asked; null: nobody. */
function fitSuccessor({ standbys, at }: Serving, settings: Settings): string | null {
  const fit = recentStandbys(standbys, at, settings).filter(
    (standby) => standby.willing && healthRank(standby) === 0,
  );
  return successionOf(fit, at, settings)[0] ?? null;
}

/** Why this node does not hand over; null: it does. */
function handsOverNotBecause(
  state: Serving,
  successor: string | null,
  settings: Settings,
): string | null {
  if (successor === null) return 'no healthy node is standing by';
  if (state.paused) return 'the group is paused';
  const { demotions } = state.health;
  return state.at < nextDemotionAt(demotions, settings)
    ? 'the lead was handed over for this reason recently'
    : null;
}

/** Why this node does not start its workload again; null: it does. */
function restartsNotBecause(state: Serving, settings: Settings): string | null {
  if (!settings.hasWorkload) return 'there is no command to restart';
  if (settings.restart === 'never') return '--restart never forbids a restart';
  const { length } = recentRestarts(state, settings);
  return length < settings.restartLimit ? null : restartsText(length, settings);
}

function handOver(state: Serving, successor: string, settings: Settings): Outcome {
  const { at, health } = state;
  const demotions = withDemotion(health.demotions, at, settings);
  // As long as it could not hand over again this node is the last to lead.
  const lastUntil = at + holdMs(demotions.count, settings);
  const next: Serving = { ...state, health: { ...health, demotions, lastUntil } };
  return beginDemotion(
    'demote-unhealthy',
    { state: next, settings },
    { why: 'unhealthy', reason: `${BEGINNING}: ${faultOf(state)}`, successor },
  );
}
