// What people and other nodes ask for, and the answers they get once the outcome is known.
import type { Effect, RequestOutcome } from './effect.ts';
import type { EventBody } from './event.ts';
import type { NodeState, SecondaryState } from './state.ts';
import type { PendingRequest } from './state-parts.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { OVERDUE_MS, REQUEST_LIMIT } from './settings.ts';
import { isApart, NOT_HEARD_HERE } from './apart.ts';
import { drainLimitMs } from './attached-proxies.ts';
import { answerDueAt, askingUntil } from './deadlines.ts';
import { formatDuration } from './duration-text.ts';
import { tellLeaseEnd } from './undecided.ts';
import { assignInto, move, secondaryBase, stay } from './outcome.ts';
import { claim, isCourtesy, isTurn, needsArming, unseenLoss } from './claim.ts';
import { yieldsBecause } from './yielding.ts';
import { neverLeadsBecause } from './election-order.ts';
import { fenceEffect, probeAgain, suspect } from './suspicion.ts';
import { refuse } from './ending.ts';

type Asking = Extract<SecondaryState, { phase: 'asking' }>;

/** Remembers a request until its outcome is known; null when too many wait already. */
export function withRequest<State extends NodeState>(
  state: State,
  request: PendingRequest,
): State | null {
  if (state.requests.length >= REQUEST_LIMIT) return null;
  return { ...state, requests: [...state.requests, request] };
}

/** What a client is told that is one too many. */
export function tooManyRequests(): string {
  return `${String(REQUEST_LIMIT)} requests are already waiting`;
}

/** A planned takeover by this node: asks the primary, or claims when nobody leads. */
export function askedToPromote(
  before: SecondaryState,
  event: PromoteRequested,
  settings: Settings,
): Outcome {
  const { requestId, force } = event;
  if (!before.enabled) return stay(before, refuse(requestId, 'this node is disabled'));
  if (before.suspend) return stay(before, refuse(requestId, 'this node is about to be suspended'));
  const never = neverLeadsBecause(settings);
  if (never !== null) return stay(before, refuse(requestId, never));
  const unfit = force ? null : unfitBecause(before, settings);
  if (unfit !== null) return stay(before, refuse(requestId, unfit));
  const state = withRequest(before, { id: requestId, kind: promoteKind(event) });
  if (state === null) return stay(before, refuse(requestId, tooManyRequests()));
  if (state.phase === 'asking') {
    const asked = { ...state, force: state.force || force, preempting: false };
    if (!state.preempting || state.agreed) return stay(asked);
    // A person's request is answered otherwise than a node's own wish.
    const until = state.at + requestTimeoutMs(settings) + OVERDUE_MS;
    return stay({ ...asked, overruled: true, until }, demotionRequest(asked, settings));
  }
  // A forced promotion is under way already: the new request only has to wait for it.
  if (state.phase === 'waiting' && state.why === 'lease-end' && force) {
    return tellLeaseEnd(stay(state), settings);
  }
  if (state.phase === 'fencing') return stay({ ...state, forced: state.forced || force });
  const leaderless = state.phase === 'waiting' || state.phase === 'listening';
  if (state.primary === null || (leaderless && !force)) {
    const reason = 'a promotion was requested';
    // If the loss was noticed before, the gap counts from then.
    const loss = { ...unseenLoss(state, reason, settings), reason };
    return claim(state, settings, { by: 'claim-on-request', loss, manual: true });
  }
  if (isApart(state) && !force) return stay(before, outOfHearing(requestId, state.primary.node));
  const asking = askingFor(state, settings, { force, preempting: false });
  const effects = [demotionRequest(asking, settings), ...preparation(asking, settings)];
  return move('ask-primary', { state: asking, detail: state.primary.node }, ...effects);
}

/** Why a person has to insist (--force): this node is ill. Null: it is fit, or was ill long ago. */
function unfitBecause(state: SecondaryState, settings: Settings): string | null {
  const because = yieldsBecause(state, settings);
  if (because === null || state.health.status !== 'unhealthy') return null;
  return `${settings.nodeId} is unhealthy (${because}), and only a forced promotion can make it lead`;
}

function outOfHearing(requestId: string, primary: string): Effect {
  const message = `${primary} cannot be asked from here: ${NOT_HEARD_HERE}`;
  const outcome = { ok: false, code: 'FAILOVER_PROMOTION_FAILED', message } as const;
  return { type: 'answer', requestId, outcome };
}

/** This node goes before the primary, and has for long enough: it asks as a person would for it. */
export function askToPreempt(state: SecondaryState, settings: Settings): Outcome {
  // Counted before the outcome is known: what fails is not tried again soon.
  const preemptions = state.preemptions + 1;
  const asking = assignInto(askingFor(state, settings, { force: false, preempting: true }), {
    preemptions,
    fitSince: null,
  });
  const theirs = String(state.primary?.standing?.priority);
  const detail = `${state.primary?.node ?? ''} has priority ${theirs}, this node ${String(settings.priority)}`;
  const effects = [demotionRequest(asking, settings), ...preparation(asking, settings)];
  return move('ask-to-preempt', { state: asking, detail }, ...effects);
}

function askingFor(
  state: SecondaryState,
  settings: Settings,
  { force, preempting }: Pick<Asking, 'force' | 'preempting'>,
): Asking {
  return assignInto(secondaryBase(state), {
    probe: null,
    phase: 'asking',
    askedAt: state.at,
    until: state.at + requestTimeoutMs(settings) + OVERDUE_MS,
    agreed: false,
    force,
    preempting,
    overruled: false,
  });
}

function demotionRequest({ preempting }: Asking, settings: Settings): Effect {
  const timeoutMs = requestTimeoutMs(settings);
  return { type: 'request-demotion', successor: settings.nodeId, preempting, timeoutMs };
}

function requestTimeoutMs({ probeTimeoutMs, probeAttempts }: Settings): number {
  return probeTimeoutMs * probeAttempts;
}

/** The longest a primary may take to hand over, ms: drain, demote command, stop, and some reserve. */
function handoverLimitMs(settings: Settings): number {
  const { demoteTimeoutMs, stopGraceMs, successorWindowMs } = settings;
  return drainLimitMs(settings) + demoteTimeoutMs + stopGraceMs + successorWindowMs;
}

export function demotionAnswered(
  state: SecondaryState,
  event: Extract<EventBody, { type: 'demotion-answered' }>,
  settings: Settings,
): Outcome {
  if (state.phase !== 'asking') return stay(state);
  if (!event.accepted) {
    return state.overruled
      ? stay({ ...state, overruled: false })
      : withoutHandover(state, settings, event.detail);
  }
  const until = state.at + handoverLimitMs(settings);
  return state.agreed ? stay(state) : stay({ ...state, agreed: true, until });
}

/** While the primary ends its workload, this node prepares the claim and the start: that is no part of the gap then. */
function preparation(state: Asking, settings: Settings): readonly Effect[] {
  const effects: Effect[] = [];
  if (settings.leaseTtlMs > 0) effects.push({ type: 'prepare-claim' });
  if (needsArming(state, settings)) effects.push({ type: 'arm-workload' });
  return effects;
}

export function askingTimePassed(state: Asking, settings: Settings): Outcome {
  const { at, until, agreed, force } = state;
  if (at < askingUntil(state, settings)) return stay(state);
  if (at >= until) {
    const limit = `within ${formatDuration(handoverLimitMs(settings))}`;
    const detail = agreed ? `it agreed but did not step down ${limit}` : 'it does not answer';
    return withoutHandover(state, settings, detail);
  }
  const detail = `nothing heard for ${String(Math.round(at - state.heardAt))} ms`;
  if (force) return withoutHandover(state, settings, detail);
  return suspect(state, settings, { by: 'suspect-silence', cause: 'silence', detail });
}

function withoutHandover(state: Asking, settings: Settings, detail: string): Outcome {
  const base = secondaryBase(state);
  if (!state.force || settings.fence === 'none') {
    // The silence is measured anew from here: the primary may just have been busy.
    const watching: SecondaryState = assignInto(base, { phase: 'watching' });
    return move('asking-refused', {
      state: watching,
      detail: state.force ? `${detail}, ${NOT_ENDED}` : detail,
    });
  }
  const loss = {
    kind: 'failover' as const,
    reason: `a forced promotion was requested: ${detail}`,
    at: state.at,
    from: state.primary?.node ?? null,
  };
  const until = answerDueAt(state.at);
  const fencing: SecondaryState = assignInto(base, { loss, phase: 'fencing', forced: true, until });
  return move('fence-on-request', { state: fencing, detail }, fenceEffect(fencing, settings));
}

type PromoteRequested = Extract<EventBody, { type: 'promote-requested' }>;

export function promoteKind({ answerEarly }: PromoteRequested): PendingRequest['kind'] {
  return answerEarly === true ? 'promote-early' : 'promote';
}

type CheckRequested = Extract<EventBody, { type: 'check-requested' }>;

export function checkKind({ answerEarly }: CheckRequested): PendingRequest['kind'] {
  return answerEarly ? 'check-early' : 'check';
}

/** Forcing a promotion does not override --fence none: the primary's process may be an application. */
const NOT_ENDED =
  'and --fence none forbids this node to kill it: kill it yourself, or promote a node with --fence kill';

/** Probes the primary now; the request is answered when the node knows. */
export function askedToCheck(
  before: SecondaryState,
  event: CheckRequested,
  settings: Settings,
): Outcome {
  const { requestId, answerEarly } = event;
  const state = withRequest(before, { id: requestId, kind: checkKind(event) });
  if (state === null) return stay(before, refuse(requestId, tooManyRequests()));
  switch (state.phase) {
    case 'listening':
      // Whether somebody leads by now shows in the lease.
      return answerEarly ? stay(state, { type: 'observe-lease' }) : stay(state);
    case 'suspecting':
      return answerEarly ? probeWhileDoubting(state, settings) : stay(state);
    case 'fencing':
    case 'asking':
      return stay(state);
    case 'watching':
    case 'waiting':
      if (state.phase === 'waiting' && isCourtesy(state.why)) return stay(state);
      return suspect(state, settings, {
        by: 'suspect-check',
        cause: 'check',
        detail: 'asked by a client',
      });
  }
}

/**
 * A look that is planned for later brings a probe now, as the primary may answer again. Never puts off the look
 * itself.
 */
function probeWhileDoubting(
  state: Extract<SecondaryState, { phase: 'suspecting' }>,
  settings: Settings,
): Outcome {
  const { suspicion, probe, at } = state;
  if (probe !== null || suspicion.judging || suspicion.nextLookAt === null) return stay(state);
  if (state.primary === null) {
    const nextLookAt = Math.min(suspicion.nextLookAt, at + settings.probeTimeoutMs);
    return stay({ ...state, suspicion: { ...suspicion, nextLookAt } });
  }
  const probesTakeMs = settings.probeAttempts * (settings.probeTimeoutMs + OVERDUE_MS);
  if (at + probesTakeMs > suspicion.nextLookAt) return stay(state);
  return probeAgain({ ...state, suspicion: { ...suspicion, attempts: 0 } }, settings);
}

/** Answers the requests whose outcome this step has shown. */
export function settleRequests(outcome: Outcome, reason: string): Outcome {
  const { state } = outcome;
  if (outcome.move === null || state.requests.length === 0) return outcome;
  const answers: Effect[] = [];
  const open: PendingRequest[] = [];
  for (const request of state.requests) {
    const answer = answerTo(request, state, reason);
    if (answer === null) open.push(request);
    else answers.push({ type: 'answer', requestId: request.id, outcome: answer });
  }
  if (answers.length === 0) return outcome;
  return {
    ...outcome,
    state: { ...state, requests: open },
    effects: [...outcome.effects, ...answers],
  };
}

function answerTo(
  request: PendingRequest,
  state: NodeState,
  reason: string,
): RequestOutcome | null {
  if (state.role === 'stopped') {
    if (request.kind === 'demote') return { ok: true, takeover: null, detail: reason };
    return { ok: false, code: 'FAILOVER_REFUSED', message: `this node is stopping: ${reason}` };
  }
  if (request.kind === 'demote') {
    return state.role === 'secondary' ? { ok: true, takeover: null, detail: reason } : null;
  }
  if (state.role === 'primary') {
    return state.phase === 'serving'
      ? { ok: true, takeover: state.lastTakeover, detail: reason }
      : null;
  }
  if (state.role === 'candidate') return null;
  const isCheck = request.kind === 'check' || request.kind === 'check-early';
  if (state.phase === 'watching' && isCheck) {
    return { ok: true, takeover: null, detail: reason };
  }
  if (state.phase === 'watching' || state.phase === 'waiting') {
    if (state.phase === 'waiting' && isTurn(state.why)) return null;
    const code = isCheck ? 'FAILOVER_NO_PRIMARY' : 'FAILOVER_PROMOTION_FAILED';
    return { ok: false, code, message: reason };
  }
  return null;
}
