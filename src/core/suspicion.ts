// From doubt to a verdict: probes, looks at the holder, and what follows from them.
import type { Effect } from './effect.ts';
import type { EventBody, HolderInspection } from './event.ts';
import type { LeaseObservation, SecondaryState } from './state.ts';
import type { FollowedPrimary, SuspicionCause } from './state-parts.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import type { TransitionId } from './transitions.ts';
import { humanMs } from './duration-text.ts';
import { ENDING_LOOK_LIMIT_MS, ENDING_LOOK_MS, OVERDUE_MS } from './settings.ts';
import { answerDueAt } from './deadlines.ts';
import { assignInto, move, secondaryBase, stay, waiting } from './outcome.ts';
import { judgeSilence } from './failure-detector.ts';
import type { Verdict } from './failure-detector.ts';
import { backOff, claim, claimInTurn, unseenLoss } from './claim.ts';
import { turnDelayMs, unwillingBecause } from './election-order.ts';
import { toldHealth, yieldsUntil } from './yielding.ts';
import { lastSignOfLife, tellDoubt, tellLeaseEnd } from './undecided.ts';
import { isApart, NOT_HEARD_HERE } from './apart.ts';

type Suspecting = Extract<SecondaryState, { phase: 'suspecting' }>;
type Fencing = Extract<SecondaryState, { phase: 'fencing' }>;

/** Begins to doubt the primary: one look at its process for later comparison, and the first probe. */
export function suspect(
  state: SecondaryState,
  settings: Settings,
  how: { readonly by: TransitionId; readonly cause: SuspicionCause; readonly detail: string },
): Outcome {
  const suspecting: Suspecting = assignInto(secondaryBase(state), {
    probe: null,
    phase: 'suspecting',
    suspicion: {
      cause: how.cause,
      since: state.at,
      attempts: 0,
      judging: false,
      answered: false,
      endingLooks: 0,
      deferred: false,
      nextLookAt: null,
    },
  });
  // Nothing can be compared later and nothing probed: what the lease shows is the verdict.
  if (isApart(state)) {
    const looked = lookNow(suspecting);
    return move(how.by, { state: looked.state, detail: how.detail }, ...looked.effects);
  }
  const probed = probeAgain(suspecting, settings);
  return move(
    how.by,
    { state: probed.state, detail: how.detail },
    { type: 'inspect-holder' },
    ...probed.effects,
  );
}

/** Sends the next probe of a suspicion; without an address it goes straight to the verdict. */
export function probeAgain(state: Suspecting, settings: Settings): Outcome {
  if (state.primary === null) {
    // No address to probe; a while between two looks tells one that starves from one that hangs.
    // Also while the silence is too short for a verdict: the look is repeated then.
    return judgeLater(state, state.at + settings.probeTimeoutMs);
  }
  if (isApart(state)) return lookNow(state);
  const opened = openProbe(state, settings);
  return stay(
    { ...opened.state, suspicion: { ...state.suspicion, nextLookAt: null } },
    opened.effect,
  );
}

/** A numbered probe, so that an answer to an earlier one is not taken for its own. */
export function openProbe<State extends SecondaryState>(
  state: State,
  settings: Settings,
): { readonly state: State; readonly effect: Effect } {
  const number = state.probeCount + 1;
  const next = {
    ...state,
    probe: { number, sentAt: state.at },
    probeCount: number,
    nextProbeAt: state.at + settings.probeIntervalMs,
  };
  const health = toldHealth(state, settings);
  const effect: Effect = {
    type: 'probe',
    probe: number,
    timeoutMs: settings.probeTimeoutMs,
    willing: unwillingBecause(state, settings) === null,
    standingByMs: state.at - state.since,
    ...(health === undefined ? {} : { health }),
  };
  return { state: next, effect };
}

/** One more probe of the suspicion failed. */
export function probeFailedWhileSuspecting(state: Suspecting, settings: Settings): Outcome {
  const attempts = state.suspicion.attempts + 1;
  const next: Suspecting = { ...state, probe: null, suspicion: { ...state.suspicion, attempts } };
  return attempts < settings.probeAttempts ? probeAgain(next, settings) : lookNow(next);
}

/** Looks at the holder; the answer is judged. */
export function lookNow(state: Suspecting): Outcome {
  const nextLookAt = state.at + OVERDUE_MS;
  const suspicion = { ...state.suspicion, judging: true, nextLookAt };
  return stay({ ...state, suspicion }, { type: 'inspect-holder' });
}

function judgeLater(state: Suspecting, at: number): Outcome {
  const nextLookAt = Math.max(at, state.at);
  return stay({ ...state, suspicion: { ...state.suspicion, judging: false, nextLookAt } });
}

/** Acts on what the look at the holder showed. */
export function judge(
  state: Suspecting,
  inspection: HolderInspection,
  settings: Settings,
): Outcome {
  // Somebody newer, or one that was not named before, is followed and judged by its own silence.
  const followed = followObserved(state, inspection.observation, settings);
  if (followed !== null) return followed;
  const verdict = judgeSilence(
    {
      inspection,
      epoch: state.primary?.epoch ?? state.epochFloor,
      silentForMs: state.at - state.heardAt,
      untouchedForMs: state.touch === null ? Infinity : state.at - state.touch.changedAt,
    },
    settings,
  );
  const judged: Judged = { state, inspection, settings };
  return tellDoubt(actOn(verdict, judged), verdict, judged);
}

interface Judged {
  readonly state: Suspecting;
  readonly inspection: HolderInspection;
  readonly settings: Settings;
}

function actOn(verdict: Verdict, { state, inspection, settings }: Judged): Outcome {
  const { description } = inspection;
  switch (verdict) {
    case 'free':
      return claimInTurn(state, settings, {
        by: 'claim-when-free',
        loss: unseenLoss(state, 'the lease was found free', settings),
      });
    case 'changed':
      return followUnnamed(state);
    case 'ending':
      return awaitEnding(state, description);
    case 'too-early':
      if (state.heardAt > state.suspicion.since) return trustHeartbeats(state);
      return judgeLater(state, lastSignOfLife(state) + settings.heartbeatTimeoutMs);
    case 'alive':
      return trustTouch({ state, inspection, settings });
    case 'starved': {
      const warning = `the primary is starved of CPU (${description}); waiting for it`;
      const suspicion = { ...state.suspicion, attempts: 0, judging: false };
      return probeAgain({ ...state, warning, suspicion }, settings);
    }
    case 'foreign': {
      const warning = `primary.lock is held by a process of another program: ${description}`;
      return backOff(state, settings, { by: 'wait-after-suspicion', detail: warning, warning });
    }
    case 'elsewhere':
      return trustLease({ state, inspection, settings });
    case 'stopped':
    case 'hung':
      return fenceOrWait(verdict, { state, inspection, settings });
  }
}

/** The kernel frees the lock in a moment, unless the process is in a wait that nothing interrupts. */
function awaitEnding(state: Suspecting, description: string): Outcome {
  const { endingLooks } = state.suspicion;
  const delayMs = Math.min(ENDING_LOOK_MS * 2 ** endingLooks, ENDING_LOOK_LIMIT_MS);
  const warning =
    delayMs < ENDING_LOOK_LIMIT_MS
      ? state.warning
      : `the process that holds the lease was killed but is not gone (${description}); waiting for it`;
  const suspicion = { ...state.suspicion, endingLooks: endingLooks + 1 };
  return judgeLater({ ...state, warning, suspicion }, state.at + delayMs);
}

/** Probes failed, and heartbeats came meanwhile: two signs that disagree. */
function trustHeartbeats(state: Suspecting): Outcome {
  const warning = 'the primary sends heartbeats but answers no probe; it is left alone';
  const base = secondaryBase(state);
  const next: SecondaryState = assignInto(base, {
    probe: null,
    warning,
    loss: null,
    phase: 'watching',
  });
  return move('trust-heartbeat', { state: next, detail: 'it does not answer probes' });
}

function trustTouch({ state, inspection, settings }: Judged): Outcome {
  const warning = 'the primary cannot be reached but still touches its lock file; it is left alone';
  const next: SecondaryState = assignInto(secondaryBase(state), {
    probe: null,
    warning,
    heardAt: state.at,
    nextProbeAt: state.at + settings.probeIntervalMs,
    loss: null,
    phase: 'watching',
  });
  const holder = inspection.observation.holder;
  const refollow: Effect[] = holder === null ? [] : [{ type: 'follow', holder }];
  return move('trust-touch', { state: next, detail: inspection.description }, ...refollow);
}

/** Nothing can be done to the holder from here, and nothing has to be: its lease ends, or it lives. */
function trustLease({ state, inspection, settings }: Judged): Outcome {
  const { primary } = state;
  if (primary !== null && isApart(state)) return byLeaseAlone(state, primary);
  const { description, observation } = inspection;
  const isUnheardOf = observation.holder === null && observation.epoch === 0;
  const warning = isUnheardOf
    ? 'no previous primary is known; the lease counts as held for one time to live'
    : `the lease holder is silent, ${description}; waiting for its lease to end`;
  const next: SecondaryState = assignInto(secondaryBase(state), {
    probe: null,
    warning,
    nextProbeAt: state.at + settings.probeIntervalMs,
    backgroundFailures: 0,
    leftToLease: true,
    loss: null,
    phase: 'watching',
  });
  return move('trust-lease', { state: next, detail: description });
}

/** A process that answers is not ended: it has given its claim up, and keeps the lock until that is done. */
function trustAnswer(state: Suspecting): Outcome {
  const node = state.primary?.node ?? 'it';
  const next: SecondaryState = assignInto(secondaryBase(state), {
    probe: null,
    warning: `${node} holds the lease but does not lead; waiting for it to release the lease`,
    heardAt: state.at,
    loss: null,
    phase: 'watching',
  });
  return move('trust-probe', { state: next, detail: `${node} does not lead` });
}

function fenceOrWait(
  verdict: 'stopped' | 'hung',
  { state, inspection, settings }: Judged,
): Outcome {
  if (state.suspicion.answered) return trustAnswer(state);
  const what = `${state.primary?.node ?? 'it'} is ${verdict}, ${inspection.description}`;
  const loss = {
    kind: 'failover' as const,
    reason: `the primary was silent: ${what}`,
    at: state.heardAt,
    from: state.primary?.node ?? null,
  };
  if (settings.fence === 'none') {
    const warning = `the lease holder is silent, ${what}, but --fence none forbids killing it`;
    return backOff({ ...state, loss }, settings, {
      by: 'wait-after-suspicion',
      detail: what,
      warning,
    });
  }
  const unwilling = unwillingBecause(state, settings);
  if (unwilling !== null) {
    const warning = `the lease holder is silent, ${what}, but this node does not act: ${unwilling}`;
    return backOff({ ...state, loss }, settings, {
      by: 'wait-after-suspicion',
      detail: what,
      warning,
    });
  }
  const yieldsFor = yieldsUntil(state, settings);
  const actsAt = (yieldsFor ?? state.at) + 4 * turnDelayMs(state, settings);
  if (actsAt > state.at && !state.suspicion.deferred) {
    const suspicion = { ...state.suspicion, deferred: true };
    const health = yieldsFor === null ? state.health : { ...state.health, yieldsUntil: yieldsFor };
    return judgeLater({ ...state, suspicion, health }, actsAt);
  }
  const next: Fencing = assignInto(secondaryBase(state), {
    probe: null,
    loss,
    phase: 'fencing',
    forced: false,
    until: answerDueAt(state.at),
  });
  return move('fence-silent', { state: next, detail: what }, fenceEffect(next, settings));
}

/** The order to end the holder that was judged, and no other. */
export function fenceEffect(state: SecondaryState, settings: Settings): Effect {
  return {
    type: 'fence-holder',
    epoch: state.primary?.epoch ?? state.epochFloor,
    run: state.primary?.run ?? null,
    mode: settings.fence,
  };
}

/** The fence is finished: what follows from its outcome. */
export function fenceFinished(
  state: Fencing,
  event: Extract<EventBody, { type: 'fence-finished' }>,
  settings: Settings,
): Outcome {
  switch (event.outcome) {
    case 'killed':
    case 'gone':
    case 'stale': {
      const loss = unseenLoss(state, `the silent primary was fenced: ${event.detail}`, settings);
      return claim(state, settings, {
        by: 'claim-after-fencing',
        // However long its supervisor was silent, its workload may have gone on until now.
        loss: event.outcome === 'killed' ? { ...loss, at: state.at } : loss,
        manual: state.forced,
      });
    }
    case 'spared-stopped':
    case 'not-permitted':
    case 'foreign':
    case 'not-released':
      return notFenced(state, event.detail, settings);
    case 'elsewhere':
      return state.forced && settings.leaseTtlMs > 0
        ? awaitLeaseEnd(state, event.detail, settings)
        : notFenced(state, event.detail, settings);
  }
}

/**
 * A lease is never taken from a holder that nobody can look at: it has ended by itself within its time to live, or
 * that holder lives and renews it. Which of the two shows the claim at the end of the wait.
 */
function awaitLeaseEnd(state: Fencing, detail: string, settings: Settings): Outcome {
  const waitMs = settings.leaseTtlMs + settings.leaseRequestTimeoutMs;
  const silence = `the lease holder is silent, ${detail}; waiting for its lease to end`;
  // A holder that cannot be heard from here is not known to be silent.
  const warning = isApart(state) ? null : silence;
  const base = assignInto(secondaryBase(state), { warning });
  const moved = move('wait-for-lease-end', {
    state: waiting(base, { until: state.at + waitMs, why: 'lease-end' }),
    detail: `${detail}; waiting up to ${humanMs(waitMs)}, unless it is renewed`,
  });
  return tellLeaseEnd(moved, settings);
}

/** An order without an answer may still be carried out: the lease decides whether it was. */
export function fenceOverdue(state: Fencing, settings: Settings): Outcome {
  return notFenced(state, 'its outcome is unknown', settings);
}

function notFenced(state: Fencing, detail: string, settings: Settings): Outcome {
  const warning = `the silent lease holder was not fenced: ${detail}`;
  return backOff(state, settings, { by: 'wait-after-fencing', detail, warning });
}

/** Follows the holder of a newer epoch, if the observation names one. */
export function followObserved(
  state: SecondaryState,
  observation: LeaseObservation,
  settings: Settings,
): Outcome | null {
  const { holder, epoch } = observation;
  if (!observation.held || holder === null) return null;
  // The record is of a term of this node's own that has ended: the present holder has not written its name yet.
  if (holder.run === settings.run) return null;
  const known = state.primary;
  if (known !== null && epoch <= known.epoch && sameHolder(known, holder)) return null;
  if (known !== null && epoch < known.epoch) return null;
  const succession = known?.run === holder.run ? known.succession : [];
  const { node, run, endpoints, apart } = holder;
  const unknown = { version: null, standing: null, health: null };
  const followed = { node, run, endpoints, epoch, succession, ...unknown };
  if (apart === true) return byLeaseAlone(state, { ...followed, apart });
  const primary = followed;
  const watching: SecondaryState = assignInto(secondaryBase(state), {
    primary,
    heardAt: state.at,
    heldAt: state.at,
    touch: null,
    leftToLease: false,
    loss: null,
    fitSince: null,
    backgroundFailures: 0,
    warning: null,
    phase: 'watching',
  });
  const probed = openProbe(watching, settings);
  return move(
    'found-primary',
    { state: probed.state, detail: `${holder.node} holds epoch ${String(epoch)}` },
    { type: 'follow', holder },
    probed.effect,
  );
}

/** A holder that cannot be heard from here, without anything being wrong: its lease tells when it is over. */
function byLeaseAlone(state: SecondaryState, primary: FollowedPrimary): Outcome {
  const watching: SecondaryState = assignInto(secondaryBase(state), {
    primary,
    probe: null,
    heardAt: state.at,
    heldAt: state.at,
    touch: null,
    leftToLease: true,
    loss: null,
    fitSince: null,
    backgroundFailures: 0,
    warning: null,
    // No message will tell that it leads.
    health: { ...state.health, yieldsUntil: null },
    phase: 'watching',
  });
  const epoch = String(primary.epoch);
  const detail = `${primary.node} holds epoch ${epoch}, and ${NOT_HEARD_HERE}`;
  return move('found-primary-apart', { state: watching, detail }, { type: 'follow', holder: null });
}

/** Follows a holder whose name is not known: a candidate between its lock and its claim, or worse. */
export function followUnnamed(state: SecondaryState): Outcome {
  const next: SecondaryState = assignInto(secondaryBase(state), {
    primary: null,
    probe: null,
    touch: null,
    heardAt: state.at,
    leftToLease: false,
    phase: 'watching',
  });
  const unfollow: readonly Effect[] =
    state.primary === null ? [] : [{ type: 'follow', holder: null }];
  return move(
    'found-primary',
    { state: next, detail: 'it has not identified itself yet' },
    ...unfollow,
  );
}

function sameHolder(a: FollowedPrimary, b: FollowedPrimary | LeaseObservation['holder']): boolean {
  return (
    b !== null &&
    a.run === b.run &&
    // A primary that was heard is doubted when it no longer is.
    (a.apart !== true || b.apart === true) &&
    a.endpoints.bus === b.endpoints.bus &&
    a.endpoints.rpc === b.endpoints.rpc
  );
}
