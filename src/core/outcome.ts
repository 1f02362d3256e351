// What a handler returns, and the builders of states that every handler shares.
import type { Effect } from './effect.ts';
import type {
  CandidateBase,
  Common,
  NodeState,
  PrimaryBase,
  SecondaryBase,
  SecondaryState,
} from './state.ts';
import type { TransitionId } from './transitions.ts';

/** The result of one event. `move` names the row of the table that changed the phase. */
export interface Outcome {
  readonly state: NodeState;
  readonly effects: readonly Effect[];
  readonly move: TransitionId | null;
  readonly detail: string;
}

/** The phase does not change. */
export function stay(state: NodeState, ...effects: readonly Effect[]): Outcome {
  return { state, effects, move: null, detail: '' };
}

/** The phase changes by a row of the table; `detail` is what the sentence can't know. */
export function move(
  id: TransitionId,
  to: { readonly state: NodeState; readonly detail?: string },
  ...effects: readonly Effect[]
): Outcome {
  return { state: to.state, effects, move: id, detail: to.detail ?? '' };
}

/**
 * Puts `rest` into `target`, which changes and is what is returned: one that was made for this call, and that nobody else
 * has. States are made at every step: an object spread that adds properties takes about thirty times as long, and so does
 * adding some to what was spread.
 */
export function assignInto<Target extends object, const Rest extends object>(
  target: Target,
  rest: Rest,
): Target & Rest {
  return Object.assign(target, rest);
}

/** The part of a state that survives a change of role. */
export function commonOf(state: NodeState): Common {
  return {
    at: state.at,
    startedAt: state.startedAt,
    since: state.since,
    pulseAt: state.pulseAt,
    epochFloor: state.epochFloor,
    paused: state.paused,
    lookedAt: state.lookedAt,
    enabled: state.enabled,
    heldOffUntil: state.heldOffUntil,
    heldOffUntilEpochAbove: state.heldOffUntilEpochAbove,
    failures: state.failures,
    random: state.random,
    restarts: state.restarts,
    coolOffMs: state.coolOffMs,
    restartCount: state.restartCount,
    preemptions: state.preemptions,
    givesWayUntil: state.givesWayUntil,
    lastTakeover: state.lastTakeover,
    requests: state.requests,
    warning: state.warning,
    lastReason: state.lastReason,
    staleMessages: state.staleMessages,
    probeCount: state.probeCount,
    worstLatenessMs: state.worstLatenessMs,
    armed: state.armed,
    rearmAt: state.rearmAt,
    releaseAt: state.releaseAt,
    suspend: state.suspend,
    term: state.term,
    suspendOrdered: state.suspendOrdered,
    health: state.health,
  };
}

/** The base of a new secondary: what the secondary before it knew, or nothing after another role. */
export function secondaryBase(state: NodeState): SecondaryBase {
  if (state.role !== 'secondary') {
    return assignInto(commonOf(state), {
      role: 'secondary',
      term: null,
      since: state.at,
      heardAt: state.at,
      heldAt: state.at,
      primary: null,
      probe: null,
      nextProbeAt: state.at,
      backgroundFailures: 0,
      touch: null,
      observeAt: null,
      lookOrderedAt: state.at,
      leftToLease: false,
      loss: null,
      fitSince: null,
    });
  }
  return assignInto(commonOf(state), {
    role: 'secondary',
    heardAt: state.heardAt,
    heldAt: state.heldAt,
    primary: state.primary,
    probe: state.probe,
    nextProbeAt: state.nextProbeAt,
    backgroundFailures: state.backgroundFailures,
    touch: state.touch,
    observeAt: state.observeAt,
    lookOrderedAt: state.lookOrderedAt,
    leftToLease: state.leftToLease,
    loss: state.loss,
    fitSince: state.fitSince,
  });
}

export function candidateBase(
  state: NodeState,
  {
    loss,
    followed,
    stop,
    standbys,
  }: Pick<CandidateBase, 'loss' | 'followed' | 'stop' | 'standbys'>,
): CandidateBase {
  const since = state.role === 'candidate' ? state.since : state.at;
  return assignInto(commonOf(state), { role: 'candidate', since, loss, followed, stop, standbys });
}

export function primaryBase(
  state: NodeState,
  lead: Pick<PrimaryBase, 'epoch' | 'previous' | 'chosen' | 'standbys' | 'proxies'>,
): PrimaryBase {
  const { epoch, previous, chosen, standbys, proxies } = lead;
  const isPrimary = state.role === 'primary';
  const since = isPrimary ? state.since : state.at;
  // Everything that the lease stands on is looked at with the first heartbeat, however long the promotion took.
  const verifiedAt = isPrimary ? state.verifiedAt : -Infinity;
  return assignInto(commonOf(state), {
    role: 'primary',
    since,
    verifiedAt,
    epoch,
    previous,
    chosen,
    standbys,
    proxies,
  });
}

/** A secondary that waits, of a base that nobody else has; Infinity: only an event can end the wait. */
export function waiting(
  base: SecondaryBase,
  wait: Pick<Extract<SecondaryState, { phase: 'waiting' }>, 'until' | 'why'>,
): SecondaryState {
  return assignInto(base, { probe: null, phase: 'waiting', until: wait.until, why: wait.why });
}
