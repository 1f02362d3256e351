// The ways from standing by to claiming the lease, and back to waiting.
import type { Effect } from './effect.ts';
import type { Peer, SecondaryState } from './state.ts';
import type { Loss, WaitReason } from './state-parts.ts';
import type { Settings } from './settings.ts';
import type { TransitionId } from './transitions.ts';
import type { Outcome } from './outcome.ts';
import { candidateBase, assignInto, move, secondaryBase, stay, waiting } from './outcome.ts';
import { OVERDUE_MS } from './settings.ts';
import { counted } from './counted.ts';
import {
  rankAmong,
  rankOf,
  turnDelayMs,
  unableBecause,
  unwillingBecause,
} from './election-order.ts';
import { retryBackoff } from './jitter.ts';
import { answerDueAt } from './deadlines.ts';
import { giveWay, yieldsBecause } from './yielding.ts';
import { isApart } from './apart.ts';

export interface Claim {
  readonly by: TransitionId;
  readonly loss: Loss;
  /** A person asked for this claim: a pause or a hold does not stand in its way. */
  readonly manual?: boolean;
  /** The node was started to lead at once (`--role primary`): it leaves the lease to nobody. */
  readonly told?: boolean;
}

/** Claims the lease, or waits when this node may not. */
export function claim(state: SecondaryState, settings: Settings, request: Claim): Outcome {
  const unwilling =
    request.manual === true ? unableBecause(state, settings) : unwillingBecause(state, settings);
  if (unwilling !== null) return waitUntilWilling(state, request.loss, unwilling);
  const isWanted = request.manual === true || request.told === true;
  const yields = isWanted ? null : giveWay(state, request.loss, settings);
  if (yields !== null) return yields;
  const effects: Effect[] = [{ type: 'acquire-lease', floor: state.epochFloor }];
  // Whoever is to lead prepares its process while the claim is made: a spawn costs more than the claim.
  const isNext = request.manual === true || rankOf(state, settings) === 0;
  if (request.loss.kind !== 'start' && isNext && needsArming(state, settings)) {
    effects.push({ type: 'arm-workload' });
  }
  const loss = lossOf(state, request);
  const base = candidateBase(state, { loss, followed: state.primary, stop: null, standbys: [] });
  return move(
    request.by,
    {
      state: assignInto(base, {
        phase: 'acquiring',
        retries: 0,
        retryAt: null,
        until: answerDueAt(state.at),
      }),
      detail: loss.reason,
    },
    ...effects,
  );
}

/** That a person asked for this node is remembered for the whole term. */
function lossOf(state: SecondaryState, { loss, manual }: Claim): Loss {
  const isOwnWish = state.phase === 'asking' && state.preempting;
  return manual === true && !isOwnWish ? { ...loss, chosen: true } : loss;
}

/** Whether the primary has said who follows it: at first it has heard of nobody. */
export function knowsOrder({ primary }: SecondaryState): boolean {
  return primary !== null && primary.succession.length > 0;
}

/**
 * Claims a lease of which nobody has said whose turn it is. With `--strategy priority` nodes that are on record
 * are looked at first: a better one may have started at the same time.
 */
export function claimByStrategy(
  state: SecondaryState,
  settings: Settings,
  request: Claim,
): Outcome {
  const isTold = settings.startRole === 'primary' && state.phase === 'listening';
  if (settings.strategy === 'race' || isTold || unwillingBecause(state, settings) !== null) {
    return claim(state, settings, { ...request, told: isTold });
  }
  const { loss } = request;
  const base = assignInto(secondaryBase(state), { loss });
  const next = waiting(base, { until: state.at + OVERDUE_MS, why: 'peers' });
  return move('wait-for-peers', { state: next, detail: loss.reason }, { type: 'list-peers' });
}

/**
 * Those that go before this one are left a window each: whatever keeps them, and however often they try, no
 * longer than that until somebody leads.
 */
export function peersListed(
  state: SecondaryState,
  peers: readonly Peer[],
  settings: Settings,
): Outcome {
  if (state.phase !== 'waiting' || state.why !== 'peers') return stay(state);
  // The lost primary may be on record for a while.
  const others = peers.filter(({ node }) => node !== state.primary?.node);
  const rank = rankAmong(others, settings);
  const until = state.givesWayUntil ?? state.at + rank * settings.priorityWindowMs;
  if (rank === 0 || until <= state.at) {
    const loss = unseenLoss(state, 'nobody led', settings);
    return claim(state, settings, { by: 'claim-after-wait', loss });
  }
  const base = assignInto(secondaryBase(state), { givesWayUntil: until });
  const next = waiting(base, { until, why: 'better' });
  const detail = `${counted(rank, 'node')} before this one`;
  return move('wait-for-better', { state: next, detail });
}

/** Claims now if this node is first in the succession, else once those before it had their turn. */
export function claimInTurn(state: SecondaryState, settings: Settings, request: Claim): Outcome {
  if (!knowsOrder(state)) return claimByStrategy(state, settings, request);
  const delayMs = turnDelayMs(state, settings);
  if (delayMs === 0) return claim(state, settings, request);
  const base = assignInto(secondaryBase(state), { loss: request.loss });
  const until = state.at + delayMs;
  if (state.phase === 'waiting') {
    return stay(waiting(base, { until: Math.min(until, state.until), why: 'turn' }));
  }
  return move('wait-for-turn', {
    state: waiting(base, { until, why: 'turn' }),
    detail: `${request.loss.reason}; ${state.primary?.succession[0] ?? 'another node'} is first`,
  });
}

/** The wait of a node that may not claim: ends when its hold ends, or on an event. */
function waitUntilWilling(state: SecondaryState, loss: Loss, because: string): Outcome {
  const until = state.heldOffUntil > state.at ? state.heldOffUntil : Number.POSITIVE_INFINITY;
  // Of nodes that become willing together the better ones go first again.
  const base = assignInto(secondaryBase(state), { loss, givesWayUntil: null });
  const next = waiting(base, { until, why: 'not-willing' });
  // A node that waited for others says that it does not claim after all.
  if (state.phase === 'waiting' && !isCourtesy(state.why)) return stay(next);
  return move('wait-not-willing', { state: next, detail: because });
}

/** Whether this is a short wait for what others do: it ends by itself, and its outcome answers a waiting client. */
export function isCourtesy(why: WaitReason): boolean {
  return isTurn(why) || why === 'successor' || why === 'free-lease';
}

/** Whether this node claims after something else has come first: nothing is decided yet. */
export function isTurn(why: WaitReason): boolean {
  return (
    why === 'turn' ||
    why === 'peers' ||
    why === 'better' ||
    why === 'healthier' ||
    why === 'lease-end'
  );
}

/** A health check was answered: a node that is as healthy as the others need not wait for them any more. */
export function claimOnceFit(state: SecondaryState, settings: Settings): Outcome {
  if (state.phase !== 'waiting' || state.why !== 'healthier') return stay(state);
  if (yieldsBecause(state, settings) !== null) return stay(state);
  const loss = unseenLoss(state, 'nobody led', settings);
  return claim(state, settings, { by: 'claim-after-wait', loss });
}

/** Waits for the backoff after one more failure. */
export function backOff(
  state: SecondaryState,
  settings: Settings,
  how: { readonly by: TransitionId; readonly detail: string; readonly warning: string | null },
): Outcome {
  const failures = state.failures + 1;
  const { delayMs, random } = retryBackoff({ failures, random: state.random }, settings);
  const { warning } = how;
  const base = assignInto(secondaryBase(state), { failures, random, warning });
  const why: WaitReason = 'backoff';
  const next = waiting(base, { until: state.at + delayMs, why });
  if (state.phase === 'waiting') return stay(next);
  return move(how.by, { state: next, detail: how.detail });
}

/** Whether the process for the promotion still has to be spawned. */
export function needsArming(state: { readonly armed: boolean }, settings: Settings): boolean {
  return settings.hasWorkload && !state.armed;
}

/** The loss of the old primary, for a node that did not notice it happen. */
export function unseenLoss(state: SecondaryState, reason: string, settings: Settings): Loss {
  if (state.loss !== null) return state.loss;
  if (state.primary === null) return { kind: 'start', reason, at: state.at, from: null };
  return { kind: 'failover', reason, at: lastSignAt(state, settings), from: state.primary.node };
}

/** When the one that is followed was there last, as far as anybody here can know. */
function lastSignAt(state: SecondaryState, settings: Settings): number {
  const { at, heardAt, heldAt, leftToLease } = state;
  // What ends by itself may outlive who holds it by its time to live: by that its silence is explained.
  const outlivesMs = settings.leaseTtlMs + settings.heartbeatTimeoutMs;
  const isSeenOnly = leftToLease && (isApart(state) || heldAt - heardAt > outlivesMs);
  const sign = isSeenOnly ? heldAt : heardAt;
  // One that was there a beat or two ago was there until just now.
  return at - sign > 2 * settings.heartbeatIntervalMs ? sign : at;
}
