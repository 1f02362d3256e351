// What falls due for a secondary as time passes; one thing at a time, the runtime asks again at once.
import { humanMs } from './duration-text.ts';
import type { Event } from './event.ts';
import type { SecondaryState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { OVERDUE_MS } from './settings.ts';
import { assignInto, stay } from './outcome.ts';
import { nextPulseAt, probeDueAt, silentAt } from './schedule.ts';
import { claim, claimByStrategy, knowsOrder, unseenLoss } from './claim.ts';
import { fenceOverdue, lookNow, openProbe, probeAgain, suspect } from './suspicion.ts';
import { askingTimePassed, askToPreempt } from './requests.ts';
import { preemptAt } from './preemption.ts';
import { lookForHolders } from './removed-locks.ts';
import { rearm } from './standby.ts';
import { giveBack } from './giving-back.ts';

type ProbeFailed = Extract<Event, { type: 'probe-failed' }>;

/** @param state one that nobody else has */
export function secondaryTimePassed(state: SecondaryState, settings: Settings): Outcome {
  const { at } = state;
  if (at >= state.pulseAt || (state.observeAt !== null && at >= state.observeAt)) {
    const pulseAt = nextPulseAt(state, settings);
    const looking = assignInto(state, { pulseAt, observeAt: null, lookOrderedAt: at });
    return stay(looking, { type: 'observe-lease' });
  }
  if (state.rearmAt !== null && at >= state.rearmAt) {
    const ordered = rearm({ ...state, rearmAt: null }, settings);
    return stay(ordered.state, ...ordered.effects);
  }
  if (state.releaseAt !== null && at >= state.releaseAt) {
    const ordered = giveBack(state);
    return stay(ordered.state, ...ordered.effects);
  }
  switch (state.phase) {
    case 'listening': {
      if (at < state.until) return stay(state);
      const loss = unseenLoss(state, 'nobody was heard', settings);
      return claimByStrategy(state, settings, { by: 'claim-at-start', loss });
    }
    case 'watching':
      return watchingTimePassed(state, settings);
    case 'suspecting': {
      const { nextLookAt, attempts } = state.suspicion;
      if (nextLookAt === null || at < nextLookAt) return stay(state);
      const probes = state.primary !== null && attempts < settings.probeAttempts;
      return probes ? probeAgain(state, settings) : lookNow(state);
    }
    case 'waiting': {
      if (at < state.until) return stay(state);
      if (state.why === 'removed-locks') return lookForHolders(state);
      const loss = unseenLoss(state, 'nobody led', settings);
      const manual = state.why === 'lease-end';
      const request = { by: 'claim-after-wait', loss, manual } as const;
      return state.why === 'free-lease' && !knowsOrder(state)
        ? claimByStrategy(state, settings, request)
        : claim(state, settings, request);
    }
    case 'asking':
      return askingTimePassed(state, settings);
    case 'fencing':
      return at >= state.until ? fenceOverdue(state, settings) : stay(state);
  }
}

function watchingTimePassed(
  state: Extract<SecondaryState, { phase: 'watching' }>,
  settings: Settings,
): Outcome {
  const { at } = state;
  if (at >= silentAt(state, settings)) {
    const detail = `nothing heard for ${humanMs(at - state.heardAt)}`;
    return suspect(state, settings, { by: 'suspect-silence', cause: 'silence', detail });
  }
  if (at >= (preemptAt(state, settings) ?? Infinity)) return askToPreempt(state, settings);
  if (at >= probeDueAt(state)) {
    const opened = openProbe(state, settings);
    return stay(opened.state, opened.effect);
  }
  return stay(state);
}

/** A probe whose answer is overdue although the adapter promised one, as the failure it amounts to. */
export function overdueProbe(state: SecondaryState, settings: Settings): ProbeFailed | null {
  if (state.probe === null) return null;
  const { number, sentAt } = state.probe;
  if (state.at < sentAt + settings.probeTimeoutMs + OVERDUE_MS) return null;
  return { type: 'probe-failed', at: state.at, probe: number, cause: 'no answer at all' };
}
