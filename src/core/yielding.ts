// A secondary that is unhealthy leaves a free lease to the others first, for a while: it leads if nobody else can.
import { assignInto, move, secondaryBase, stay, waiting } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { HealthStatus } from './health.ts';
import type { Settings } from './settings.ts';
import type { NodeState, SecondaryState, StandbyInfo } from './state.ts';
import type { Loss } from './state-parts.ts';

/** Why this node leaves the lead to healthy nodes; null: it is as healthy as they are. */
export function yieldsBecause(
  { health, at }: Pick<NodeState, 'health' | 'at'>,
  { standby }: Settings,
): string | null {
  const { subject, status, fault, lastUntil } = health;
  if (subject !== null && status === 'unhealthy') {
    const what =
      subject === 'workload' ? 'its own workload is unhealthy' : 'its standby health check fails';
    return fault === null ? what : `${what}: ${fault}`;
  }
  if (subject === 'standby' && status === 'unknown') return 'its standby health is not known yet';
  const hasProved = standby === 'hot' && status === 'healthy';
  return lastUntil > at && !hasProved ? 'its workload was unhealthy when it led' : null;
}

/** Whether the health of this node allows it to ask for the lead of another. */
export function isProved(state: NodeState, settings: Settings): boolean {
  const { subject, status } = state.health;
  const isOpen = subject !== null && status === 'unknown';
  return !isOpen && yieldsBecause(state, settings) === null;
}

/** What others are told of this node's health; undefined: nothing is checked. */
export function toldHealth(state: NodeState, settings: Settings): HealthStatus | undefined {
  const { subject, status, lastUntil } = state.health;
  if (lastUntil > state.at && yieldsBecause(state, settings) !== null) return 'unhealthy';
  return subject === null ? undefined : status;
}

/** The rank of a standby by its health: lower goes first. One that is not checked counts as healthy. */
export function healthRank({ health = 'healthy' }: Pick<StandbyInfo, 'health'>): number {
  return RANKS[health];
}

const RANKS: Readonly<Record<HealthStatus, number>> = { healthy: 0, unknown: 1, unhealthy: 2 };

/** Until when it leaves the lease to healthy nodes; null: not, or no longer. One window, until somebody leads. */
export function yieldsUntil(state: SecondaryState, settings: Settings): number | null {
  if (yieldsBecause(state, settings) === null) return null;
  const until = state.health.yieldsUntil ?? state.at + settings.heartbeatTimeoutMs;
  return until > state.at ? until : null;
}

/** Waits instead of claiming; null: it is this node's turn. */
export function giveWay(state: SecondaryState, loss: Loss, settings: Settings): Outcome | null {
  const until = yieldsUntil(state, settings);
  if (until === null) return null;
  const health = { ...state.health, yieldsUntil: until };
  const next = waiting(assignInto(secondaryBase(state), { loss, health }), {
    until,
    why: 'healthier',
  });
  if (state.phase === 'waiting' && state.why === 'healthier') return stay(next);
  const because = yieldsBecause(state, settings) ?? '';
  return move('wait-for-healthier', { state: next, detail: because });
}
