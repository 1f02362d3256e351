// What a candidate does with a refused claim: follow who was first, try once more, doubt, or wait.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { CandidateState, SecondaryState, StopOrder } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { ANSWER_LIMIT_MS, CLAIM_RETRIES, CLAIM_RETRY_MS, RANK_STEP_MS } from './settings.ts';
import { answerDueAt } from './deadlines.ts';
import { formatDuration } from './duration-text.ts';
import { assignInto, secondaryBase, stay } from './outcome.ts';
import { backOff } from './claim.ts';
import { unableBecause } from './election-order.ts';
import { followObserved, suspect } from './suspicion.ts';
import { awaitHolders, nameProcesses } from './removed-locks.ts';
import { beginStopping } from './ending.ts';
import { standsByReady, withoutSpareProcess } from './standby.ts';
import { giveBack } from './giving-back.ts';

type Acquiring = Extract<CandidateState, { phase: 'acquiring' }>;
type Denied = Extract<Event, { type: 'lease-denied' }>;

/** The claim was denied or could not be made. */
export function claimAnswered(
  before: Acquiring,
  event: Extract<Event, { type: 'lease-denied' | 'lease-failed' }>,
  settings: Settings,
): Outcome {
  if (event.type === 'lease-failed') {
    const detail = `${event.message} (${event.code})`;
    const failed = overtaken(before);
    return claimFailed(failed, { detail, warning: event.message }, settings);
  }
  // The denial answers this claim, so what an earlier one was granted has been given back by then.
  const state: Acquiring = { ...before, releaseAt: null };
  if (state.stop !== null) return stopInstead(state, state.stop, settings);
  const outcome = denied(state, asSecondary(state, settings), { event, settings });
  return withoutClaimsProcess(outcome, state, settings);
}

/** A failed claim also overtakes an order to release, whose answer never comes: that is given again at once. */
function overtaken(state: Acquiring): Acquiring {
  return state.releaseAt === null ? state : { ...state, releaseAt: state.at };
}

function denied(
  state: Acquiring,
  back: SecondaryState,
  { event, settings }: { readonly event: Denied; readonly settings: Settings },
): Outcome {
  switch (event.cause) {
    case 'completed': {
      const order = { exitCode: 0, reason: "the group's work is completed", immediate: false };
      return beginStopping('stop-instead-of-standby', { state, order, settings });
    }
    case 'foreign-lockfile': {
      const warning = 'another program holds primary.lock.lock; it is left alone';
      return backOff(back, settings, { by: 'claim-failed', detail: warning, warning });
    }
    case 'lost-race':
      return retry(state, RANK_STEP_MS) ?? suspectHolder(back, settings);
    case 'held':
      return heldByAnother(state, back, { event, settings });
  }
}

function heldByAnother(
  state: Acquiring,
  back: SecondaryState,
  { event, settings }: { readonly event: Denied; readonly settings: Settings },
): Outcome {
  const { observation } = event;
  const neverLed =
    state.loss.kind === 'start' && state.failures === 0 && state.lastTakeover === null;
  if (settings.startRole === 'primary' && neverLed) {
    const reason = heldReason(event);
    const order: StopOrder = {
      exitCode: EXIT_LEASE_HELD,
      reason,
      immediate: false,
      cause: 'lease-held',
    };
    return beginStopping('stop-instead-of-standby', { state, order, settings });
  }
  const followed = followObserved(back, observation, settings);
  if (followed?.move === 'found-primary') return { ...followed, move: 'lease-held-by-other' };
  if (followed !== null) return followed;
  const again = retry(state, CLAIM_RETRY_MS);
  if (again !== null) return again;
  const isUnseen = event.waitsFor.length > 0 && !observation.held;
  return isUnseen ? awaitHolders(back, event.waitsFor) : suspectHolder(back, settings);
}

/** The code of a node that was to start as primary while another has the lease. */
const EXIT_LEASE_HELD = 4;

function heldReason({ waitsFor, observation }: Denied): string {
  if (waitsFor.length === 0)
    return `the lease is held by ${observation.holder?.node ?? 'another node'}`;
  const who = nameProcesses(waitsFor);
  return `removed lock files of the group are still held: no node starts before ${who} exits`;
}

/** Tries again soon, a few times: a process that was killed is still closing its files. */
function retry(state: Acquiring, firstMs: number): Outcome | null {
  if (state.retries >= CLAIM_RETRIES) return null;
  const retryAt = state.at + firstMs * 2 ** state.retries;
  return stay({ ...state, retries: state.retries + 1, retryAt });
}

function suspectHolder(back: SecondaryState, settings: Settings): Outcome {
  const how = { cause: 'claim-denied' } as const;
  if (back.primary !== null) {
    return suspect(back, settings, { ...how, by: 'lease-still-held', detail: back.primary.node });
  }
  // A lease that ends by itself counts as held where no epoch is known: the store may have lost the data of one who
  // leads.
  const isUnheardOf = settings.leaseTtlMs > 0 && back.epochFloor === 0;
  const detail = isUnheardOf
    ? 'no previous primary is known, so it counts as held for one time to live'
    : 'its holder is not identified';
  return suspect(back, settings, { ...how, by: 'lease-held-unseen', detail });
}

export function claimTimePassed(state: Acquiring, settings: Settings): Outcome {
  if (state.at < (state.retryAt ?? state.until)) return stay(state);
  if (state.retryAt === null) return claimOverdue(state, settings);
  return claimAgain(state, settings);
}

/** Tries again at once: the change may be what this claim waits for, such as a guard that gave the lease back. */
export function leaseChanged(state: Acquiring, settings: Settings): Outcome {
  return state.retryAt === null ? stay(state) : claimAgain(state, settings);
}

function claimAgain(state: Acquiring, settings: Settings): Outcome {
  const unable = unableBecause(state, settings);
  if (unable !== null) return claimFailed(state, { detail: unable, warning: null }, settings);
  const effect: Effect = { type: 'acquire-lease', floor: state.epochFloor };
  return stay({ ...state, retryAt: null, until: answerDueAt(state.at) }, effect);
}

/** A grant below an epoch that is known by now gives no authority: it is given back, and another is claimed later. */
export function grantedTooLate(state: Acquiring, epoch: number, settings: Settings): Outcome {
  const known = String(state.epochFloor);
  const detail = `epoch ${String(epoch)} was granted although epoch ${known} was already known; releasing it`;
  return claimGivenUp(state, { detail, warning: null }, settings);
}

/**
 * A claim without an answer is given up as if it had failed. A grant that comes later, or whose answer was lost, is
 * given back.
 */
function claimOverdue(state: Acquiring, settings: Settings): Outcome {
  const detail = `the lease gave no answer within ${formatDuration(ANSWER_LIMIT_MS)}`;
  return claimGivenUp(state, { detail, warning: detail }, settings);
}

function claimGivenUp(
  state: Acquiring,
  said: { readonly detail: string; readonly warning: string | null },
  settings: Settings,
): Outcome {
  const ordered = giveBack(state);
  const outcome = claimFailed(ordered.state, said, settings);
  return { ...outcome, effects: [...ordered.effects, ...outcome.effects] };
}

function claimFailed(
  state: Acquiring,
  said: { readonly detail: string; readonly warning: string | null },
  settings: Settings,
): Outcome {
  if (state.stop !== null) return stopInstead(state, state.stop, settings);
  const outcome = backOff(asSecondary(state, settings), settings, { by: 'claim-failed', ...said });
  return withoutClaimsProcess(outcome, state, settings);
}

function stopInstead(state: Acquiring, order: StopOrder, settings: Settings): Outcome {
  return beginStopping('stop-secondary', { state, order, settings });
}

/** The secondary that this candidate was before its claim, with what it knew of the primary. */
function asSecondary(state: Acquiring, settings: Settings): SecondaryState {
  // A standby process that ended meanwhile is noticed here, and nowhere else before the next claim.
  const isMissing = standsByReady(settings) && !state.armed;
  return assignInto(secondaryBase(state), {
    rearmAt: isMissing ? (state.rearmAt ?? state.at + settings.retryBackoffMinMs) : null,
    since: state.since,
    primary: state.followed,
    // Of one that it did not know it has heard nothing since it claims; its own loss may be older.
    heardAt: state.followed === null ? state.since : Math.min(state.at, state.loss.at),
    loss: state.loss,
    phase: 'watching',
  });
}

/** Ends the process that was spawned for this claim; when a group starts, none is spawned before the grant. */
function withoutClaimsProcess(outcome: Outcome, state: Acquiring, settings: Settings): Outcome {
  return state.loss.kind === 'start' ? outcome : withoutSpareProcess(outcome, settings);
}
