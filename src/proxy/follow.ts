// Where a group's primary is, as a proxy decides it: one event in; a state and what follows from it out. Pure.
import type { PrimaryTerm } from './primary-source.ts';

/** Who holds the lease by its newest epoch. */
interface Leader {
  readonly node: string;
  readonly run: string;
  /** Where its command is reached; null: it has not said. */
  readonly target: string | null;
}

/** What is known by now. Times are milliseconds on the caller's monotonic clock. */
export interface Following {
  readonly at: number;
  /** The highest epoch that the lease has confirmed; 0: none. */
  readonly epoch: number;
  readonly leader: Leader | null;
  /**
   * unknown: whether it serves is still to be heard. open: it does. doubted: it did, and is silent. closing: it is about
   * to step down. over: it has, or nothing is under way to it any more.
   */
  readonly standing: 'unknown' | 'open' | 'doubted' | 'closing' | 'over';
  /** What the listener was told is ready, and was not told is lost. */
  readonly told: PrimaryTerm | null;
  /** Whether it has been heard to lead in this epoch. */
  readonly hasLed: boolean;
  readonly heardAt: number;
  /** How often it says that it leads. */
  readonly intervalMs: number;
  /** Whether it is being asked how it stands. */
  readonly asking: boolean;
  /** When it is asked next; Infinity: once something else is heard. */
  readonly askAt: number;
}

export type FollowEvent = { readonly at: number } & FollowNews;

export type FollowNews =
  /** A look at the lease. */
  | { readonly type: 'observed'; readonly epoch: number; readonly leader: Leader | null }
  /** A heartbeat of one that leads, or that its promotion is complete. */
  | {
      readonly type: 'leads';
      readonly run: string;
      readonly epoch: number;
      readonly target: string | null;
    }
  | { readonly type: 'closes'; readonly run: string; readonly epoch: number }
  | {
      readonly type: 'ended';
      readonly run: string;
      readonly epoch: number;
      readonly reason: string;
    }
  | { readonly type: 'connection-lost'; readonly run: string }
  | {
      readonly type: 'answered';
      readonly run: string;
      readonly epoch: number;
      readonly standing: 'serving' | 'starting' | 'closing' | 'none';
      readonly intervalMs: number;
    }
  | { readonly type: 'unanswered'; readonly run: string }
  /** Nothing is under way any more to the one that is closing. */
  | { readonly type: 'drained'; readonly epoch: number }
  | { readonly type: 'time-passed' };

export type FollowEffect =
  | { readonly type: 'observe' }
  /** To say that this proxy forwards to it, and to hear how it stands: `answered` or `unanswered` follows. */
  | { readonly type: 'ask'; readonly run: string; readonly epoch: number }
  | { readonly type: 'say-drained'; readonly run: string; readonly epoch: number }
  | { readonly type: 'tell-ready'; readonly term: PrimaryTerm }
  | { readonly type: 'tell-doubted'; readonly reason: string }
  | { readonly type: 'tell-closing'; readonly epoch: number }
  | { readonly type: 'tell-lost'; readonly reason: string; readonly epoch: number }
  | { readonly type: 'warn'; readonly message: string };

export interface FollowStep {
  readonly state: Following;
  /** In this order. */
  readonly effects: readonly FollowEffect[];
}

/** How often a proxy says that it forwards: a node forgets it after three of these. */
const ASK_INTERVAL_MS = 2_000;

/** Until it has said how often it is heard, ms. */
const USUAL_INTERVAL_MS = 500;

/** A heartbeat may be so much later than the one after the next is due, ms: a machine is busy at times. */
const LATENESS_MS = 50;

/** How soon one is asked again that leads and does not serve yet, ms. */
const ASK_AGAIN_MS = 20;

export function initialFollowing(at: number): Following {
  return {
    ...{ at, epoch: 0, leader: null, standing: 'unknown', told: null, hasLed: false },
    ...{ heardAt: at, intervalMs: USUAL_INTERVAL_MS, asking: false, askAt: Infinity },
  };
}

/** When the next `time-passed` can matter; Infinity: only something else can. */
export function followWakeAt(state: Following): number {
  const silentAt = state.standing === 'open' ? overdueAt(state) : Infinity;
  return Math.min(silentAt, state.asking ? Infinity : state.askAt);
}

/** The node that may count on this proxy to say when it has drained; null: none does. */
export function attachedTo({
  leader,
  standing,
  epoch,
}: Following): { readonly run: string; readonly epoch: number } | null {
  return leader === null || standing === 'over' ? null : { run: leader.run, epoch };
}

export function follow(before: Following, event: FollowEvent): FollowStep {
  const state = { ...before, at: Math.max(before.at, event.at) };
  switch (event.type) {
    case 'observed':
      return observed(state, event);
    case 'drained':
      return state.standing === 'closing' && event.epoch === state.epoch
        ? sayDrained(state)
        : { state, effects: [] };
    case 'time-passed':
      return timePassed(state);
    case 'connection-lost':
    case 'unanswered':
      if (event.run !== state.leader?.run) return { state, effects: [] };
      return event.type === 'unanswered' ? unanswered(state) : disconnected(state);
    default:
      return said(state, event);
  }
}

/** Only the newest epoch has authority, and the lease alone says which one that is. */
function observed(
  state: Following,
  { epoch, leader }: Extract<FollowNews, { type: 'observed' }>,
): FollowStep {
  if (epoch < state.epoch || leader === null) return { state, effects: [] };
  if (epoch === state.epoch && leader.run === state.leader?.run) {
    const target = state.leader.target ?? leader.target;
    return { state: { ...state, leader: { ...leader, target } }, effects: [] };
  }
  const doubt = doubted(state, `${leader.node} has claimed epoch ${String(epoch)}`);
  const next: Following = {
    ...{ ...doubt.state, epoch, leader, standing: 'unknown', hasLed: false, asking: false },
    ...{ heardAt: state.at, intervalMs: USUAL_INTERVAL_MS },
  };
  const asked = ask(next);
  return { state: asked.state, effects: [...doubt.effects, ...asked.effects] };
}

/** What is said of an older epoch is void; of a newer one, a reason to look at the lease. */
function said(
  state: Following,
  event: Extract<FollowNews, { type: 'leads' | 'closes' | 'ended' | 'answered' }>,
): FollowStep {
  const isLeader = event.run === state.leader?.run;
  if (event.epoch > state.epoch) {
    const next = event.type === 'answered' && isLeader ? { ...state, asking: false } : state;
    return { state: next, effects: [{ type: 'observe' }] };
  }
  if (!isLeader) return { state, effects: [] };
  if (event.type === 'answered') return answered(state, event);
  if (event.epoch < state.epoch) return { state, effects: [] };
  switch (event.type) {
    case 'leads':
      return leads(state, event.target);
    case 'closes':
      return closes(state);
    case 'ended':
      return lost({ ...state, standing: 'over', askAt: Infinity }, event.reason);
  }
}

function leads(before: Following, target: string | null): FollowStep {
  const { at, leader } = before;
  const known = leader === null || target === null ? leader : { ...leader, target };
  const state: Following = { ...before, leader: known, hasLed: true, heardAt: at };
  switch (state.standing) {
    case 'unknown':
      return state.asking ? { state, effects: [] } : ask(state);
    case 'doubted':
      return ready(state);
    case 'open':
    case 'closing':
    case 'over':
      return { state, effects: [] };
  }
}

function closes(before: Following): FollowStep {
  if (before.standing === 'over') return { state: before, effects: [] };
  // Until all is done there it is to know that this proxy lives.
  const state: Following = { ...before, standing: 'closing', askAt: before.at + ASK_INTERVAL_MS };
  if (before.standing === 'closing') return { state, effects: [] };
  // Nothing was ever sent there.
  if (state.told?.epoch !== state.epoch) return sayDrained(state);
  return { state, effects: [{ type: 'tell-closing', epoch: state.epoch }] };
}

function sayDrained(state: Following): FollowStep {
  const { leader, epoch } = state;
  if (leader === null) return { state, effects: [] };
  // It is not to be reminded of this proxy again.
  const next: Following = { ...state, standing: 'over', askAt: Infinity };
  return { state: next, effects: [{ type: 'say-drained', run: leader.run, epoch }] };
}

function answered(before: Following, event: Extract<FollowNews, { type: 'answered' }>): FollowStep {
  const { at } = before;
  const { intervalMs } = event;
  const state = { ...before, asking: false, intervalMs, heardAt: at };
  // Of the time before it claimed this epoch.
  const standing = event.epoch < state.epoch ? 'starting' : event.standing;
  switch (standing) {
    case 'serving':
      if (state.standing === 'closing' || state.standing === 'over') return { state, effects: [] };
      return ready({ ...state, askAt: at + ASK_INTERVAL_MS });
    case 'closing':
      return closes(state);
    case 'starting':
    case 'none': {
      const askAt = state.hasLed ? at + ASK_AGAIN_MS : Infinity;
      const why = standing === 'starting' ? 'is starting' : 'does not lead';
      const doubt = doubted({ ...state, askAt }, `${state.leader?.node ?? ''} ${why}`);
      return standing === 'none'
        ? { ...doubt, effects: [...doubt.effects, { type: 'observe' }] }
        : doubt;
    }
  }
}

/** One that leads and is too busy to answer, or of a version that can't, is forwarded to all the same. */
function unanswered(before: Following): FollowStep {
  const state = { ...before, asking: false, askAt: before.at + ASK_INTERVAL_MS };
  return state.standing === 'unknown' && state.hasLed ? ready(state) : { state, effects: [] };
}

function disconnected(state: Following): FollowStep {
  const doubt = doubted(state, `the connection to ${state.leader?.node ?? ''} is lost`);
  return { ...doubt, effects: [...doubt.effects, { type: 'observe' }] };
}

function timePassed(state: Following): FollowStep {
  if (state.standing === 'open' && state.at >= overdueAt(state)) {
    const silentMs = Math.round(state.at - state.heardAt);
    const doubt = doubted(
      state,
      `${state.leader?.node ?? ''} has been silent for ${String(silentMs)} ms`,
    );
    return { ...doubt, effects: [...doubt.effects, { type: 'observe' }] };
  }
  return state.at >= state.askAt && !state.asking ? ask(state) : { state, effects: [] };
}

function overdueAt({ heardAt, intervalMs }: Following): number {
  return heardAt + 2 * intervalMs + LATENESS_MS;
}

function ask(state: Following): FollowStep {
  const { leader, epoch } = state;
  if (leader === null) return { state, effects: [] };
  const next = { ...state, asking: true, askAt: Infinity };
  return { state: next, effects: [{ type: 'ask', run: leader.run, epoch }] };
}

function ready(before: Following): FollowStep {
  const { leader, epoch, told } = before;
  if (leader === null) return { state: before, effects: [] };
  if (leader.target === null) {
    const message = `${leader.node} leads but has no --target: nothing can be forwarded to it`;
    const effects: FollowEffect[] = before.hasLed ? [{ type: 'warn', message }] : [];
    return { state: { ...before, hasLed: true }, effects };
  }
  const term = { node: leader.node, epoch, target: leader.target };
  const state: Following = { ...before, standing: 'open', heardAt: before.at, told: term };
  if (before.standing === 'open' && isSame(told, term)) return { state, effects: [] };
  // What is under way to the one before it is lost by now: nothing starts before that has ended.
  const over =
    told === null || told.epoch === epoch
      ? []
      : lost(before, `${leader.node} leads in epoch ${String(epoch)}`).effects;
  return { state, effects: [...over, { type: 'tell-ready', term }] };
}

function isSame(a: PrimaryTerm | null, b: PrimaryTerm): boolean {
  return a?.epoch === b.epoch && a.node === b.node && a.target === b.target;
}

/** New requests are held; what is under way may still be answered, and its connections tell if it is not. */
function doubted(state: Following, reason: string): FollowStep {
  if (state.standing !== 'open') return { state, effects: [] };
  const next: Following = { ...state, standing: 'doubted' };
  return { state: next, effects: [{ type: 'tell-doubted', reason }] };
}

function lost(state: Following, reason: string): FollowStep {
  const { told } = state;
  const epoch = told?.epoch ?? null;
  if (epoch === null) return { state, effects: [] };
  return {
    state: { ...state, told: null },
    effects: [{ type: 'tell-lost', reason, epoch }],
  };
}
