// Gives back what was granted to a claim that this node no longer makes: an answer that came too late, or
// never. Until that has succeeded nobody else could claim, and each claim of its own would find the lease held.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { NodeState } from './state.ts';
import { ORDER_RETRY_MS } from './settings.ts';
import { answerDueAt } from './deadlines.ts';

/** The order to release, for a node that claims nothing; given again if it fails or is not answered. */
export function giveBack<State extends NodeState>(
  state: State,
): { readonly state: State; readonly effects: readonly Effect[] } {
  const releaseAt = answerDueAt(state.at);
  return { state: { ...state, releaseAt }, effects: [{ type: 'release-lease' }] };
}

/** What the answer to that order means. */
export function givenBack<State extends NodeState>(
  state: State,
  event: Extract<Event, { type: 'lease-released' | 'lease-failed' }>,
): State {
  if (event.type === 'lease-released') return { ...state, releaseAt: null };
  if (event.order !== 'release' || state.releaseAt === null) return state;
  return { ...state, releaseAt: state.at + ORDER_RETRY_MS };
}
