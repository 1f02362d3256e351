// What a candidate does with a refused claim: follow who was first, try once more, doubt, or wait.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { CandidateState, SecondaryState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { CLAIM_RETRIES, CLAIM_RETRY_MS, RANK_STEP_MS } from './settings.ts';
import { candidateBase, secondaryBase, stay } from './outcome.ts';
import { backOff } from './claim.ts';
import { followObserved, suspect } from './suspicion.ts';
import { beginStopping } from './ending.ts';

type Acquiring = Extract<CandidateState, { phase: 'acquiring' }>;
type Denied = Extract<Event, { type: 'lease-denied' }>;

/** The claim was denied or could not be made. */
export function claimAnswered(
  state: Acquiring,
  event: Extract<Event, { type: 'lease-denied' | 'lease-failed' }>,
  settings: Settings,
): Outcome {
  if (state.stop !== null) {
    return beginStopping('stop-secondary', { state, order: state.stop, settings });
  }
  const back = asSecondary(state);
  if (event.type === 'lease-failed') {
    const detail = `${event.message} (${event.code})`;
    const outcome = backOff(back, settings, { by: 'claim-failed', detail, warning: event.message });
    return withoutSpareProcess(outcome, state, settings);
  }
  return withoutSpareProcess(denied(state, back, { event, settings }), state, settings);
}

function denied(
  state: Acquiring,
  back: SecondaryState,
  { event, settings }: { readonly event: Denied; readonly settings: Settings },
): Outcome {
  switch (event.cause) {
    case 'completed': {
      const order = { exitCode: 0, reason: 'the work of the group is completed', immediate: false };
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
    const reason = `the lease is held by ${observation.holder?.node ?? 'another node'}`;
    const order = { exitCode: 4, reason, immediate: false };
    return beginStopping('stop-instead-of-standby', { state, order, settings });
  }
  const followed = followObserved(back, observation, settings);
  if (followed !== null) return { ...followed, move: 'lease-held-by-other' };
  return retry(state, CLAIM_RETRY_MS) ?? suspectHolder(back, settings);
}

/** Tries again soon, a few times: a process that was killed is still closing its files. */
function retry(state: Acquiring, firstMs: number): Outcome | null {
  if (state.retries >= CLAIM_RETRIES) return null;
  const retryAt = state.at + firstMs * 2 ** state.retries;
  return stay({ ...state, retries: state.retries + 1, retryAt });
}

function suspectHolder(back: SecondaryState, settings: Settings): Outcome {
  const detail = back.primary === null ? 'its holder has not said its name' : back.primary.node;
  return suspect(back, settings, { by: 'lease-still-held', cause: 'claim-denied', detail });
}

export function claimTimePassed(state: Acquiring): Outcome {
  if (state.retryAt === null || state.at < state.retryAt) return stay(state);
  const effect: Effect = { type: 'acquire-lease', floor: state.epochFloor };
  return stay({ ...state, retryAt: null }, effect);
}

/** The secondary this candidate was, with what it knew of the primary. */
function asSecondary(state: Acquiring): SecondaryState {
  const base = secondaryBase({
    ...candidateBase(state, state),
    phase: 'acquiring',
    retries: 0,
    retryAt: null,
  });
  return {
    ...base,
    since: state.since,
    primary: state.followed,
    heardAt: Math.min(state.at, state.loss.at),
    loss: state.loss,
    phase: 'watching',
  };
}

/** A cold standby keeps no process: one that was spawned for a claim that came to nothing is ended. */
function withoutSpareProcess(outcome: Outcome, state: Acquiring, settings: Settings): Outcome {
  if (outcome.state.role !== 'secondary' || settings.standby !== 'cold') return outcome;
  if (!settings.hasWorkload || state.loss.kind === 'start') return outcome;
  const effects: readonly Effect[] = [...outcome.effects, { type: 'stop-workload', graceMs: 0 }];
  return { ...outcome, state: { ...outcome.state, armed: false }, effects };
}
