// What must hold at every step, whatever happened. Checked in production: it is cheap beside a workload
// that runs twice.
import type { Effect } from './effect.ts';
import type { NodeState } from './state.ts';
import type { TransitionId, TransitionRow } from './transitions.ts';
import { REQUEST_LIMIT, PROXY_LIMIT, SUCCESSION_LIMIT } from './settings.ts';
import { hasRunOut } from './lease-term.ts';
import { ROLE_OF_PHASE } from './phases.ts';
import { TRANSITIONS } from './transitions.ts';

/** A step that must never happen did: the process ends rather than risk a second workload. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

interface Step {
  readonly state: NodeState;
  readonly effects: readonly Effect[];
  readonly move: TransitionId | null;
}

/** @throws InvariantViolation naming the rule that was broken. */
export function checkInvariants(before: NodeState, step: Step): void {
  checkTable(before, step);
  checkEpochs(before, step.state);
  checkBounds(step.state);
  for (const effect of step.effects) checkEffect(before, step.state, effect);
}

function checkTable(before: NodeState, { state, move }: Step): void {
  const { phase, role } = state;
  assert(ROLE_OF_PHASE[phase] === role, () => `${phase} is no phase of a ${role}`);
  if (move === null) {
    assert(phase === before.phase, () => `${before.phase} became ${phase} without a row`);
    return;
  }
  const row: TransitionRow = TRANSITIONS[move];
  assert(row.from.includes(before.phase), () => `row ${move} does not start from ${before.phase}`);
  assert(row.to === phase, () => `row ${move} does not lead to ${phase}`);
}

function checkEpochs(before: NodeState, state: NodeState): void {
  assert(state.epochFloor >= before.epochFloor, 'the epoch floor went back');
  assert(state.at >= before.at, 'time went back');
  const epoch = epochOf(state);
  if (epoch === null) return;
  assert(Number.isSafeInteger(epoch) && epoch > 0, () => `epoch ${String(epoch)} is not an epoch`);
  const earlier = epochOf(before);
  if (earlier !== null) assert(epoch >= earlier, 'the epoch of a term went back');
  if (before.role === 'candidate' && before.phase === 'acquiring') {
    assert(epoch > before.epochFloor, () => `epoch ${String(epoch)} was granted twice`);
  }
}

/** The epoch a node acts under; null for one that holds no lease. */
export function epochOf(state: NodeState): number | null {
  return 'epoch' in state ? state.epoch : null;
}

function checkBounds(state: NodeState): void {
  assert(state.requests.length <= REQUEST_LIMIT + 1, 'too many requests wait');
  if (state.role === 'candidate' || state.role === 'primary') {
    assert(state.standbys.length <= SUCCESSION_LIMIT, 'too many standbys are kept');
  }
  if (state.role === 'primary') {
    assert(state.proxies.length <= PROXY_LIMIT, 'too many proxies are kept');
  }
}

function checkEffect(before: NodeState, state: NodeState, effect: Effect): void {
  switch (effect.type) {
    case 'activate-workload':
      assert(
        (state.role === 'candidate' && state.phase === 'starting') ||
          (state.role === 'primary' && state.phase === 'restarting'),
        'a workload is started by a node that does not hold the lease',
      );
      assert(effect.epoch === epochOf(state), 'a workload is started under another epoch');
      assert(wasCleared(before, state), 'a workload is started beside leftovers');
      assert(!hasRunOut(state), 'a workload is started when its lease has run out');
      return;
    case 'publish':
      checkAnnouncement(before, state, effect);
      return;
    case 'acquire-lease':
      assert(state.phase === 'acquiring', 'the lease is claimed by a node that is no candidate');
      assert(!state.suspend, 'the lease is claimed by a node that is about to be suspended');
      return;
    case 'release-lease':
      assert(
        epochOf(state) === null || mayRelease(state),
        'the lease is released while the workload may run',
      );
      return;
    case 'suspend-process':
      assert(epochOf(state) === null, 'a node is suspended while it holds the lease');
      assert(!mayBeGranted(state), 'a node is suspended that may be granted the lease');
      return;
    case 'exit':
      assert(state.phase === 'stopped', 'a node exits before it has stopped');
      return;
    case 'fence-holder':
      assert(state.phase === 'fencing', 'a holder is fenced without a verdict');
      return;
    case 'run-hook':
      assert(!hasRunOut(state), 'a hook is run when its lease has run out');
      return;
    case 'renew-lease':
      assert(state.term !== null, 'a lease is renewed that is not held');
      return;
    case 'advance-epoch':
      assert(state.phase === 'restarting', 'an epoch is advanced outside a restart');
      return;
    default:
      return;
  }
}

/** Whether the lease may be given back: only once the end of the workload is confirmed. */
function mayRelease(state: NodeState): boolean {
  if (state.phase === 'unwinding') return state.step === 'release';
  return state.phase === 'demoting' && state.demotion.step === 'release';
}

/** Whether a claim is under way, or what a given-up claim was granted is not confirmed to be free. */
function mayBeGranted(state: NodeState): boolean {
  return state.releaseAt !== null || (state.phase === 'acquiring' && state.retryAt === null);
}

function wasCleared(before: NodeState, state: NodeState): boolean {
  if (before.phase === 'clearing') return true;
  return state.phase === 'restarting' && state.plan.cleared;
}

function checkAnnouncement(
  before: NodeState,
  state: NodeState,
  { announcement }: Extract<Effect, { type: 'publish' }>,
): void {
  switch (announcement.kind) {
    case 'promoted':
      assert(state.phase === 'serving', 'a promotion is announced before it is complete');
      return;
    case 'shutdown':
      assert(
        epochOf(state) === null && epochOf(before) !== null,
        'an end is announced before the lease is free',
      );
      return;
    case 'heartbeat':
      assert(epochOf(state) !== null, 'a heartbeat is sent by a node that holds no lease');
      return;
    case 'role':
      return;
  }
}

/** @param rule a sentence with values is only made once it is needed: this is asked at every step. */
function assert(holds: boolean, rule: string | (() => string)): void {
  if (!holds) throw new InvariantViolation(typeof rule === 'string' ? rule : rule());
}
