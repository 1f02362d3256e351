// A lease with a time to live: until when it is this node's, when to renew it, and by when its workload has
// to be gone. All of it is counted from before the request that the store answered: the store counts from
// later, so what is over here is never over there before.
import type { Effect } from './effect.ts';
import type { Event, EventBody } from './event.ts';
import type { NodeState } from './state.ts';
import type { LeaseTerm } from './state-parts.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { stay } from './outcome.ts';
import { nextRandom } from './jitter.ts';
import { humanMs } from './duration-text.ts';

/** What the store answered to a claim or a renewal. */
export interface Granted {
  /** Just before the request, on this node's clock, ms. */
  readonly askedAt: number;
  /** How long the store granted it for, which may be less than was asked for, ms. */
  readonly ttlMs: number;
}

/** The share of the time to live that two clocks of different speed agree on. */
const COMMON_SHARE = 0.995;

/** The longest time that a guard takes to notice its deadline and to empty a session, ms. */
const LONGEST_GUARD_TICK_MS = 500;

/** The shortest pause between renewals, whatever was asked for: a node that renews all the time does nothing else. */
const LEAST_TICK_MS = 10;

/** How long before the end of the time to live the guard acts, ms. */
export function guardTickMs(ttlMs: number): number {
  return Math.min(LONGEST_GUARD_TICK_MS, ttlMs / 6);
}

/** How long a workload may take to end in order when its lease is lost, whatever its own grace is, ms. */
export function longestGraceMs({ leaseTtlMs, leaseMaxDriftMs }: Settings): number {
  const share = leaseTtlMs * COMMON_SHARE - leaseMaxDriftMs - guardTickMs(leaseTtlMs);
  return Math.max(0, Math.floor(share));
}

/** A term as it is granted; the next renewal is asked for a tick from now. */
export function beginTerm(
  { askedAt, ttlMs }: Granted,
  state: Pick<NodeState, 'at' | 'random'>,
  settings: Settings,
): { readonly term: LeaseTerm; readonly random: number } {
  const { delayMs, random } = tick(state.random, settings);
  const term = { renewAt: state.at + delayMs, ...limitsOf({ askedAt, ttlMs }, settings) };
  return { term, random };
}

/** Orders the guard to end the workload at the deadline, whatever becomes of this process. */
export function guardEffect({ deadlineAt }: LeaseTerm): Effect {
  return { type: 'extend-deadline', deadlineAt };
}

/** Whether the term has run out and the lease has to be left; one without a time to live is held until it is lost. */
export function hasRunOut({ term, at }: Pick<NodeState, 'term' | 'at'>): boolean {
  return term !== null && at >= term.endsAt;
}

/** How long the workload may take to end once the term has run out, ms. */
function graceLeftMs({ deadlineAt }: LeaseTerm, at: number): number {
  return Math.max(0, deadlineAt - at);
}

/** When a holder has to be woken for its term; Infinity without one. */
export function termWakeAt({ term }: NodeState): number {
  return term === null ? Infinity : Math.min(term.renewAt, term.endsAt);
}

/** Drops the term of a lease that is given back or lost: it is not renewed any more. */
export function withoutIdleTerm(state: NodeState, effects: readonly Effect[]): NodeState {
  if (state.term === null) return state;
  const isOver = effects.some(({ type }) => type === 'release-lease') || !('epoch' in state);
  return isOver ? { ...state, term: null } : state;
}

/**
 * What the term makes of an event, before the role sees it: a term that has run out overtakes time, and all
 * that an adapter answers, as none of it may start anything any more. Null: the role decides.
 */
export function overtakenBy(
  state: NodeState,
  event: Event,
): { readonly state: NodeState; readonly event: Event } | null {
  const { term, at } = state;
  if (term === null || !hasRunOut(state) || isAskedFromOutside(event)) return null;
  const cause = `it was not renewed for ${humanMs(at - term.since)}`;
  const withinMs = graceLeftMs(term, at);
  return { state: { ...state, term: null }, event: { type: 'lease-lost', at, cause, withinMs } };
}

/** What people, signals and other nodes want is never lost; it starts nothing once the term has run out. */
function isAskedFromOutside({ type }: Event): boolean {
  switch (type) {
    case 'stop-requested':
    case 'suspend-requested':
    case 'suspend-withdrawn':
    case 'enabled-changed':
    case 'promote-requested':
    case 'demote-requested':
    case 'check-requested':
    case 'standby-heard':
    case 'proxy-attached':
    case 'proxy-drained':
    case 'lease-lost':
      return true;
    default:
      return false;
  }
}

/** Renews in time, and takes the answers; null: it is none of the term's business. */
export function guardLease(state: NodeState, event: Event, settings: Settings): Outcome | null {
  const { term } = state;
  switch (event.type) {
    case 'time-passed': {
      if (term === null || state.at < term.renewAt) return null;
      const { delayMs, random } = tick(state.random, settings);
      const next = { ...state, random, term: { ...term, renewAt: state.at + delayMs } };
      return stay(next, { type: 'renew-lease', timeoutMs: settings.leaseRequestTimeoutMs });
    }
    case 'lease-renewed':
      return renewed(state, event, settings);
    case 'lease-failed': {
      if (event.order !== 'renew') return null;
      if (term === null) return stay(state);
      const left = humanMs(Math.max(0, term.endsAt - state.at));
      const warning = `the lease is not renewed: ${event.message}; it will be given up in ${left}`;
      return stay({ ...state, warning, term: { ...term, isWarned: true } });
    }
    default:
      return null;
  }
}

/** An answer that was overtaken by a later one, or by the end of the term, extends nothing. */
function renewed(
  state: NodeState,
  event: Extract<EventBody, { type: 'lease-renewed' }>,
  settings: Settings,
): Outcome {
  const { term } = state;
  if (term === null || event.askedAt <= term.since) return stay(state);
  const next: LeaseTerm = { renewAt: term.renewAt, ...limitsOf(event, settings) };
  const warning = term.isWarned ? null : state.warning;
  return stay({ ...state, warning, term: next }, guardEffect(next));
}

function limitsOf({ askedAt, ttlMs }: Granted, settings: Settings): Omit<LeaseTerm, 'renewAt'> {
  const deadlineAt = askedAt + ttlMs * COMMON_SHARE - guardTickMs(ttlMs);
  const endsAt = Math.min(askedAt + settings.leaseMaxDriftMs, deadlineAt);
  return { since: askedAt, endsAt, deadlineAt, isWarned: false };
}

/** How old a grant may be when a claim takes it, ms: so that its first renewal has as much time as any other. */
export function claimAheadMs(settings: Settings): number {
  const { leaseTtlMs, leaseTickMs, leaseRequestTimeoutMs, leaseMaxDriftMs } = settings;
  const firstRenewalMs = LONGEST_TICK * leaseTickMs + leaseRequestTimeoutMs;
  return Math.max(0, Math.min(leaseTtlMs * AHEAD_SHARE, leaseMaxDriftMs - firstRenewalMs));
}

/** As a share of the time to live. */
const AHEAD_SHARE = 0.1;

const [SHORTEST_TICK, LONGEST_TICK] = [0.85, 1.2];

/** The pause between two renewals, a fifth longer at most: many groups don't ask at once, and on average none too often. */
function tick(
  random: number,
  settings: Settings,
): { readonly delayMs: number; readonly random: number } {
  const next = nextRandom(random);
  const tickMs = Math.max(settings.leaseTickMs, LEAST_TICK_MS);
  const share = SHORTEST_TICK + (LONGEST_TICK - SHORTEST_TICK) * next.value;
  return { delayMs: tickMs * share, random: next.random };
}
