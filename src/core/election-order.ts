// Who goes first when the primary is gone, so that twenty standbys cost what one costs.
import { humanMs } from './duration-text.ts';
import type { KnownStandby, NodeState, Peer, StandbyInfo } from './state.ts';
import {
  PRIORITY_RANKS_LIMIT,
  PRIORITY_STEP_MS,
  RANK_STEP_MS,
  STANDBY_FORGOTTEN_AFTER,
  SUCCESSION_LIMIT,
} from './settings.ts';
import type { Settings } from './settings.ts';
import { healthRank } from './yielding.ts';

/** The list with this standby added or updated; bounded, and the longest unheard leave it first. */
export function withStandby(
  standbys: readonly KnownStandby[],
  heard: StandbyInfo,
  at: number,
): readonly KnownStandby[] {
  const others = standbys.filter((standby) => standby.node !== heard.node);
  const all = [...others, Object.assign({}, heard, { heardAt: at })];
  return all.length <= SUCCESSION_LIMIT ? all : all.slice(all.length - SUCCESSION_LIMIT);
}

/** The list without standbys that have not been heard for several probe intervals. */
export function recentStandbys(
  standbys: readonly KnownStandby[],
  at: number,
  settings: Settings,
): readonly KnownStandby[] {
  const oldest = at - STANDBY_FORGOTTEN_AFTER * settings.probeIntervalMs - settings.probeTimeoutMs;
  // Almost always all are kept: then the same array, as a new one at each beat is garbage by the next.
  return standbys.every(({ heardAt }) => heardAt >= oldest)
    ? standbys
    : standbys.filter(({ heardAt }) => heardAt >= oldest);
}

/**
 * The order of succession: willing first, then healthy, then the lower priority; then who has stood by longest, or with
 * `--strategy priority` the lower id, so that the same node is always the best.
 */
export function successionOf(
  standbys: readonly KnownStandby[],
  at: number,
  { strategy }: Pick<Settings, 'strategy'>,
): readonly string[] {
  const stoodBySince = (standby: KnownStandby): number =>
    standby.heardAt - standby.standingByMs - at;
  return [...standbys]
    .sort(
      (a, b) =>
        Number(b.willing) - Number(a.willing) ||
        healthRank(a) - healthRank(b) ||
        a.priority - b.priority ||
        (strategy === 'race' ? stoodBySince(a) - stoodBySince(b) : 0) ||
        (a.node < b.node ? -1 : 1),
    )
    .map((standby) => standby.node);
}

/** The place of this node in the succession, 0 first; last when it is not listed, and 0 when nobody is. */
export function rankOf(state: NodeState, settings: Settings): number {
  if (state.role !== 'secondary' || state.primary === null) return 0;
  const index = state.primary.succession.indexOf(settings.nodeId);
  return index >= 0 ? index : state.primary.succession.length;
}

/** How long this node leaves the lease to those before it, ms. */
export function turnDelayMs(state: NodeState, settings: Settings): number {
  return rankOf(state, settings) * rankStepMs(settings);
}

/**
 * How long each rank waits for the one before: a courtesy in a race, but with `priority` long enough for a whole
 * claim.
 */
function rankStepMs({ strategy, leaseTtlMs, heartbeatIntervalMs }: Settings): number {
  if (strategy === 'race') return RANK_STEP_MS;
  // The end of a lease in a store is seen at the next beat, and not by all nodes at once.
  return PRIORITY_STEP_MS + (leaseTtlMs > 0 ? heartbeatIntervalMs : 0);
}

/** How many of these nodes go before this one, bounded; a node that was not seen recently does not count. */
export function rankAmong(peers: readonly Peer[], settings: Settings): number {
  const better = peers.filter(
    ({ node, priority, seenAgoMs }) =>
      node !== settings.nodeId &&
      priority > 0 &&
      seenAgoMs <= settings.heartbeatTimeoutMs &&
      (priority < settings.priority || (priority === settings.priority && node < settings.nodeId)),
  );
  // A store keeps the record of each life of a node for a while.
  const nodes = new Set(better.map(({ node }) => node));
  return Math.min(nodes.size, PRIORITY_RANKS_LIMIT);
}

/** Why this node would not claim the lease by itself; null when it would. */
export function unwillingBecause(state: NodeState, settings: Settings): string | null {
  const unable = unableBecause(state, settings);
  if (unable !== null) return unable;
  // Before a pause, which is the group's: that a node would not lead without it either shows nowhere else.
  if (state.heldOffUntil > state.at) {
    const why = ownEnd(state, settings);
    return `it holds off for ${humanMs(state.heldOffUntil - state.at)}${why === null ? '' : ` (${why})`}`;
  }
  if (state.heldOffUntilEpochAbove > 0 && state.epochFloor <= state.heldOffUntilEpochAbove) {
    return 'it was demoted and waits until another node has led';
  }
  if (state.paused) return PAUSED;
  if (settings.standby === 'hot' && !state.armed) return 'its hot standby is not running';
  return null;
}

/** Of a node that would lead but for that. */
export const PAUSED = 'the group is paused';

/** Why its own term ended, where nobody has led since; null: somebody has, or it had none. */
function ownEnd(state: NodeState, { nodeId }: Settings): string | null {
  const loss = state.role === 'secondary' ? state.loss : null;
  return loss?.from === nodeId ? loss.reason : null;
}

/** Why this node can not claim the lease, whoever asks for it; null when it can. */
export function unableBecause(state: NodeState, settings: Settings): string | null {
  if (state.suspend) return disabledBecause(state) ?? SUSPENDING;
  return disabledBecause(state) ?? neverLeadsBecause(settings);
}

/** Of a node that a terminal's stop signal is about to suspend. */
export const SUSPENDING = 'it is about to be suspended';

/** Why this node never leads, whatever happens; null: it may. */
export function neverLeadsBecause({ priority }: Settings): string | null {
  return priority === 0 ? 'it never leads (--priority 0)' : null;
}

/**
 * Why it does not take part: the application's own setting, which a person's request does not override; null: it
 * does.
 */
export function disabledBecause({ enabled }: NodeState): string | null {
  return enabled ? null : DISABLED;
}

/** Of a node that its own program keeps from leading. */
export const DISABLED = 'it is barred from leading';
