// What a node waits for, and until when, in words, from its state alone.
import { isApart } from './apart.ts';
import { askingUntil } from './deadlines.ts';
import { checkDueAt } from './health.ts';
import { unwillingBecause } from './election-order.ts';
import { preemptAt } from './preemption.ts';
import { silentAt } from './schedule.ts';
import type { Settings } from './settings.ts';
import type { CandidateState, NodeState, PrimaryState, SecondaryState } from './state.ts';
import type { Demotion, StartPlan, WaitReason } from './state-parts.ts';

/** One thing that a node waits for. */
export interface Pending {
  /** Stable, in the words of the state, such as `backoff` or `probe-answer`. */
  readonly name: string;
  /** What happens then, such as `it doubts the primary unless it hears it`. */
  readonly text: string;
  /** When the wait ends, ms; null: not by time, only by an event. */
  readonly inMs: number | null;
  /** True: the answer may come at any time until then. False: it happens at that time. */
  readonly isLimit: boolean;
}

/** As of `state.at`; what comes first is first. */
export function pendingOf(state: NodeState, settings: Settings): readonly Pending[] {
  return [...duesOf(state, settings), ...healthDues(state, settings)]
    .map(({ at, ...due }) => ({ ...due, inMs: inMsOf(at, state.at) }))
    .sort((a, b) => (a.inMs ?? Infinity) - (b.inMs ?? Infinity));
}

/** The open health check, of the workload or of this node. */
function healthDues({ health }: NodeState, settings: Settings): Due[] {
  const { check, subject } = health;
  const at = checkDueAt(health, settings);
  if (at === Infinity || subject === null) return [];
  const what = subject === 'workload' ? 'its command serves' : 'it could serve';
  return check === null
    ? [acts('health', `it checks whether ${what}`, at)]
    : [due('health-answer', `the check whether ${what} is answered`, at)];
}

interface Due extends Omit<Pending, 'inMs'> {
  /** Infinity: the wait never ends by itself. */
  readonly at: number;
}

/** A wait at whose end this node acts. */
function acts(name: string, text: string, at: number): Due {
  return { name, text, at, isLimit: false };
}

/** A wait by whose end something is to have happened. */
function due(name: string, text: string, at: number): Due {
  return { name, text, at, isLimit: true };
}

function inMsOf(at: number, now: number): number | null {
  return at === Infinity ? null : Math.max(0, Math.round(at - now));
}

function duesOf(state: NodeState, settings: Settings): Due[] {
  switch (state.role) {
    case 'secondary':
      return [...secondaryDues(state, settings), ...holds(state, settings), ...orders(state)];
    case 'candidate':
      return candidateDues(state);
    case 'primary':
      return primaryDues(state);
    case 'stopped':
      if (state.phase === 'stopped') return [];
      return [due('stop', 'the standby process here has exited', state.until)];
  }
}

function secondaryDues(state: SecondaryState, settings: Settings): Due[] {
  switch (state.phase) {
    case 'listening':
      return [acts('listening', 'it claims the lease if there is no primary', state.until)];
    case 'watching': {
      const text = silenceText(state);
      const dues = [
        acts('silence', text, silentAt(state, settings)),
        ...nextProbe(state, settings),
      ];
      const at = preemptAt(state, settings);
      return at === null ? dues : [...dues, acts('preempt', 'it asks for a handover', at)];
    }
    case 'suspecting':
      return [suspicionDue(state, settings)];
    case 'fencing':
      return [due('fencing', 'the silent primary is gone', state.until)];
    case 'waiting':
      return [waitDue(state, settings)];
    case 'asking': {
      const text = state.agreed ? 'the primary has stepped down' : 'the primary has answered';
      return [due('demotion', text, askingUntil(state, settings))];
    }
  }
}

function silenceText(state: SecondaryState): string {
  if (isApart(state)) return 'it claims the lease once that is free';
  return state.leftToLease
    ? 'it claims the lease of the silent primary once that is free'
    : 'it suspects the primary unless it hears from it';
}

function nextProbe(state: SecondaryState, settings: Settings): Due[] {
  if (state.primary === null || isApart(state)) return [];
  return state.probe === null
    ? [acts('probe', 'it probes the primary', state.nextProbeAt)]
    : [probeAnswer(state.probe, settings)];
}

function probeAnswer({ sentAt }: { readonly sentAt: number }, settings: Settings): Due {
  return due('probe-answer', 'its probe is answered', sentAt + settings.probeTimeoutMs);
}

function suspicionDue(
  state: Extract<SecondaryState, { readonly phase: 'suspecting' }>,
  settings: Settings,
): Due {
  const { nextLookAt, judging } = state.suspicion;
  if (state.probe !== null) return probeAnswer(state.probe, settings);
  const at = nextLookAt ?? Infinity;
  return judging
    ? due('look', "its inspection of the primary's process is answered", at)
    : acts('look', 'it inspects the primary again', at);
}

function waitDue(
  state: Extract<SecondaryState, { readonly phase: 'waiting' }>,
  settings: Settings,
): Due {
  const because = unwillingBecause(state, settings);
  return because === null
    ? acts(state.why, WAITS[state.why], state.until)
    : unwillingDue(state, because);
}

const WAITS: Readonly<Record<WaitReason, string>> = {
  turn: 'it claims the lease unless a node ahead of it has',
  backoff: 'it tries again to claim the lease',
  successor: 'it claims the lease unless the named successor has',
  'not-willing': 'it claims the lease',
  'removed-locks': 'it checks whether the holders of removed lock files have exited',
  'lease-end': 'it claims the lease, which expires by then unless its holder renews it',
  peers: 'it claims the lease without knowing which nodes go first',
  better: 'it claims the lease unless a better node has',
  healthier: 'it claims the lease unless a healthy node has',
  'free-lease': 'it claims the free lease unless the primary announces something',
};

/** Why this node would not claim, besides what its phase waits for. */
function holds(state: SecondaryState, settings: Settings): Due[] {
  const because = state.phase === 'waiting' ? null : unwillingBecause(state, settings);
  return because === null ? [] : [unwillingDue(state, because)];
}

function unwillingDue({ heldOffUntil, at, paused, enabled }: SecondaryState, because: string): Due {
  if (heldOffUntil > at && enabled && !paused) {
    return acts('not-willing', 'it may claim the lease again', heldOffUntil);
  }
  return acts('not-willing', `it makes no claim while this holds: ${because}`, Infinity);
}

function orders({ rearmAt, releaseAt }: SecondaryState): Due[] {
  return [
    ...(rearmAt === null ? [] : [due('arm', 'its standby process is ready', rearmAt)]),
    ...(releaseAt === null
      ? []
      : [acts('release', 'it releases whatever it may hold of the lease', releaseAt)]),
  ];
}

function candidateDues(state: CandidateState): Due[] {
  switch (state.phase) {
    case 'acquiring':
      return [
        state.retryAt === null
          ? due('claim', 'its claim is answered', state.until)
          : acts('claim', 'it claims again', state.retryAt),
      ];
    case 'clearing':
      return planDues(state.plan);
    case 'starting':
      return [
        state.activatedAt === null
          ? due('start', 'its command is started', state.until)
          : due('ready', 'its command is ready', state.until),
      ];
    case 'promoting':
      return [due('promote-command', 'the promote command has exited', state.until)];
    case 'unwinding':
      return [
        state.step === 'stop'
          ? due('stop', 'its command has stopped', state.until)
          : due('release', 'the lease is free again', state.until),
      ];
  }
}

function planDues({ armed, cleared, epoch, until, clearAgainAt, armAgainAt }: StartPlan): Due[] {
  const gone = 'everything left by the previous run is gone';
  return [
    ...(cleared ? [] : [due('clearing', gone, clearAgainAt ?? until)]),
    ...(armed ? [] : [due('arm', 'its process is ready', armAgainAt ?? until)]),
    ...(epoch === null ? [due('epoch', 'a new epoch is claimed', until)] : []),
  ];
}

function primaryDues(state: PrimaryState): Due[] {
  switch (state.phase) {
    case 'serving':
      return [acts('heartbeat', 'it sends its next heartbeat', state.pulseAt)];
    case 'restarting': {
      const { until, plan, ending } = state;
      if (ending !== null) return [due('stop', 'its command has stopped', ending.until)];
      return until === null ? planDues(plan) : [due('start', 'its command is restarted', until)];
    }
    case 'demoting': {
      const { step, until, successor } = state.demotion;
      const to = successor === null ? '' : `, for ${successor}`;
      return [due(step, `${DEMOTION_STEPS[step]}${to}`, until)];
    }
  }
}

const DEMOTION_STEPS: Readonly<Record<Demotion['step'], string>> = {
  drain: 'the drain is over',
  hook: 'the demote command has exited',
  stop: 'its command has stopped',
  complete: 'the completion of the work is recorded',
  release: 'the lease is free',
};
