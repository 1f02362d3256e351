// Who goes first when the primary is gone, so that twenty standbys cost what one costs.
import { humanMs } from './duration-text.ts';
import type { KnownStandby, NodeState, StandbyInfo } from './state.ts';
import { RANK_STEP_MS, STANDBY_FORGOTTEN_AFTER, SUCCESSION_LIMIT } from './settings.ts';
import type { Settings } from './settings.ts';

/** The standbys with this one brought up to date; bounded, the longest unheard leave first. */
export function withStandby(
  standbys: readonly KnownStandby[],
  heard: StandbyInfo,
  at: number,
): readonly KnownStandby[] {
  const others = standbys.filter((standby) => standby.node !== heard.node);
  const all = [...others, { ...heard, heardAt: at }];
  return all.length <= SUCCESSION_LIMIT ? all : all.slice(all.length - SUCCESSION_LIMIT);
}

/** Without those that have not been heard for several probe intervals. */
export function recentStandbys(
  standbys: readonly KnownStandby[],
  at: number,
  settings: Settings,
): readonly KnownStandby[] {
  const oldest = at - STANDBY_FORGOTTEN_AFTER * settings.probeIntervalMs - settings.probeTimeoutMs;
  return standbys.filter((standby) => standby.heardAt >= oldest);
}

/** The order of succession: willing first, then the lower priority, then who has stood by longest. */
export function successionOf(standbys: readonly KnownStandby[], at: number): readonly string[] {
  const stoodBySince = (standby: KnownStandby): number =>
    standby.heardAt - standby.standingByMs - at;
  return [...standbys]
    .sort(
      (a, b) =>
        Number(b.willing) - Number(a.willing) ||
        a.priority - b.priority ||
        stoodBySince(a) - stoodBySince(b) ||
        (a.node < b.node ? -1 : 1),
    )
    .map((standby) => standby.node);
}

/** This node's place: 0 goes at once. Behind everybody when it is not listed; 0 when nobody is. */
export function rankOf(state: NodeState, settings: Settings): number {
  if (state.role !== 'secondary' || state.primary === null) return 0;
  const index = state.primary.succession.indexOf(settings.nodeId);
  return index >= 0 ? index : state.primary.succession.length;
}

/** How long this node leaves the lease to those before it, ms. */
export function turnDelayMs(state: NodeState, settings: Settings): number {
  return rankOf(state, settings) * RANK_STEP_MS;
}

/** Why this node would not claim the lease by itself; null when it would. */
export function unwillingBecause(state: NodeState, settings: Settings): string | null {
  const unable = unableBecause(state);
  if (unable !== null) return unable;
  if (state.paused) return 'the group is paused';
  if (state.heldOffUntil > state.at) {
    return `it holds off for ${humanMs(state.heldOffUntil - state.at)}`;
  }
  if (state.heldOffUntilEpochAbove > 0 && state.epochFloor <= state.heldOffUntilEpochAbove) {
    return 'it was demoted and waits until another has led';
  }
  if (settings.standby === 'hot' && !state.armed) return 'its hot standby does not run';
  return null;
}

/** Why this node can not claim the lease, whoever asks for it; null when it can. */
export function unableBecause(state: NodeState): string | null {
  return disabledBecause(state) ?? (state.suspend ? 'it is about to be suspended' : null);
}

/** Set by an application for its own node, and stronger than a person's request; null: it takes part. */
export function disabledBecause({ enabled }: NodeState): string | null {
  return enabled ? null : 'it was disabled by its application';
}
