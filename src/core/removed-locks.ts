// The wait for those who hold lock files that were removed: said once, and over as soon as they have ended.
import type { LeaseObservation, SecondaryState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { claim, unseenLoss } from './claim.ts';
import { move, secondaryBase, stay, waiting } from './outcome.ts';
import { TRANSITIONS } from './transitions.ts';

type Waiting = Extract<SecondaryState, { phase: 'waiting' }>;

/** How long until the next look at those who are waited for, ms, where no beat comes before. */
const LOOK_INTERVAL_MS = 1_000;

/** No claim can succeed before the holders have ended: instead of claiming, this node looks for them. */
export function awaitHolders(back: SecondaryState, pids: readonly number[]): Outcome {
  const base = secondaryBase(back);
  const next = waiting(base, { until: back.at + LOOK_INTERVAL_MS, why: 'removed-locks' });
  return move('wait-for-holders', { state: next, detail: nameProcesses(pids) });
}

export function lookForHolders(state: Waiting): Outcome {
  const until = state.at + LOOK_INTERVAL_MS;
  return stay({ ...state, until }, { type: 'observe-lease' });
}

/** What a look shows of the holders: the reason names them; once none is left, the claim decides. */
export function holdersSeen(
  state: Waiting,
  { waitsFor = [] }: LeaseObservation,
  settings: Settings,
): Outcome {
  if (waitsFor.length > 0) {
    const { sentence } = TRANSITIONS['wait-for-holders'];
    return stay({ ...state, lastReason: `${sentence}: ${nameProcesses(waitsFor)}` });
  }
  const loss = unseenLoss(state, 'nobody led', settings);
  return claim(state, settings, { by: 'claim-after-wait', loss });
}

export function nameProcesses(pids: readonly number[]): string {
  const named = pids.slice(0, NAMED).join(', ');
  const more = pids.length > NAMED ? ` and ${String(pids.length - NAMED)} more` : '';
  return `${pids.length === 1 ? 'process' : 'processes'} ${named}${more}`;
}

/** The most processes that one message names. */
const NAMED = 5;
