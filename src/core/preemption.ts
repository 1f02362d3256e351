// When a node takes the lead from a primary that it goes before: in order, held down, and never for a whim.
import { isProved } from './yielding.ts';
import { unwillingBecause } from './election-order.ts';
import { assignInto } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { PREEMPT_DELAY_LIMIT_MS } from './settings.ts';
import type { Settings } from './settings.ts';
import type { PrimaryState, SecondaryState } from './state.ts';

/**
 * When this node asks for the lead, ms, if nothing changes until then; null: it does not. All that could make
 * the change a bad one has to have stayed away for the whole delay: another primary, a start of its workload,
 * a pause, a reason not to lead.
 */
export function preemptAt(state: SecondaryState, settings: Settings): number | null {
  const { fitSince, preemptions, primary } = state;
  if (fitSince === null || primary === null) return null;
  // Of several better nodes the best asks; if it was told not to, or does not, the next ones hold back for a while.
  const before = Math.max(0, primary.succession.indexOf(settings.nodeId));
  const turnMs = settings.preemptDelayMs + settings.heartbeatTimeoutMs;
  return fitSince + holdDownMs(preemptions, settings) + before * turnMs;
}

/** Notes since when this node has gone before the primary, and could lead. */
export function withFitness(outcome: Outcome, settings: Settings): Outcome {
  const { state } = outcome;
  if (!settings.preempt || state.role !== 'secondary') return outcome;
  const isFit = goesBefore(state, settings);
  if (isFit === (state.fitSince !== null)) return outcome;
  return { ...outcome, state: assignInto({ ...state }, { fitSince: isFit ? state.at : null }) };
}

function goesBefore(state: SecondaryState, settings: Settings): boolean {
  const { primary } = state;
  const standing = primary?.standing ?? null;
  if (primary === null || standing === null || standing.chosen) return false;
  if (state.phase === 'asking') return false;
  // A primary that cannot be reached cannot be asked.
  if (state.leftToLease) return false;
  // A node that was told to step down leads again only if a person asks, or if nobody else does.
  if (state.heldOffUntilEpochAbove > 0 || settings.strategy !== 'priority') return false;
  const isReady = settings.standby === 'cold' || !settings.hasWorkload || state.armed;
  // Of nodes with the same priority the primary stays.
  return (
    isReady &&
    primary.succession.includes(settings.nodeId) &&
    hasBetterPlace(settings, primary.node, standing.priority) &&
    isProved(state, settings) &&
    unwillingBecause(state, settings) === null
  );
}

function hasBetterPlace(settings: Settings, node: string, priority: number): boolean {
  if (settings.priority !== priority) return settings.priority < priority;
  return settings.preemptsById === true && settings.nodeId < node;
}

/** Why this node does not hand over to one that goes before it; null: it does. */
export function keepsLeadBecause({ paused, chosen }: PrimaryState): string | null {
  if (paused) return 'the group is paused';
  return chosen ? 'this node was promoted manually' : null;
}

/** Whether this node has kept the lead that it asked for long enough. */
export function hasLedInPeace(
  { preemptions, at, since }: PrimaryState,
  settings: Settings,
): boolean {
  return preemptions > 0 && at - since >= holdDownMs(preemptions, settings);
}

/**
 * How long this node waits before it asks, ms: doubles each time it does not then lead in peace, so that it cannot
 * flap.
 */
function holdDownMs(preemptions: number, { preemptDelayMs }: Settings): number {
  const limitMs = Math.max(preemptDelayMs, PREEMPT_DELAY_LIMIT_MS);
  return Math.min(limitMs, preemptDelayMs * 2 ** Math.min(preemptions, MOST_DOUBLINGS));
}

/** More doublings than this change nothing within any limit. */
const MOST_DOUBLINGS = 30;
