// Turns three small numbers into an event that could happen to a node now: a plausible one or a stray one.
import type { EventBody, FenceOutcome, HolderInspection } from '../../src/core/event.ts';
import type { LeaseHolder, LeaseObservation, NodeState } from '../../src/core/state.ts';
import { holderNamed } from './core-events.ts';

/** What the outside of a node knows: the highest epoch there ever was. */
export interface Outside {
  highestEpoch: number;
}

export interface Draw {
  /** Which event. */
  readonly kind: number;
  /** Which of its forms. */
  readonly form: number;
}

const NODES = ['a', 'b', 'c'] as const;
const LEASE_ORDERS = ['acquire', 'advance', 'renew', 'release', 'observe'] as const;
const FENCE_OUTCOMES: readonly FenceOutcome[] = [
  'killed',
  'gone',
  'stale',
  'spared-stopped',
  'not-permitted',
  'foreign',
  'elsewhere',
  'not-released',
];

/** Kinds from this one on are what the phase waits for: without them few lives would come far. */
const FIRST_FITTING_KIND = 40;

export const EVENT_KINDS = 64;

export function randomEvent({ kind, form }: Draw, state: NodeState, outside: Outside): EventBody {
  const bit = (index: number): boolean => ((form >> index) & 1) === 1;
  const node = NODES[form % 3] ?? 'a';
  const run = bit(4) && state.role === 'secondary' ? (state.primary?.run ?? 'a1') : `${node}1`;
  const epoch = epochNear(state, form);
  if (kind >= FIRST_FITTING_KIND) {
    const fitting = fittingEvents(state, outside);
    return fitting[form % fitting.length] ?? { type: 'time-passed' };
  }
  switch (kind) {
    case 0:
      return { type: 'started' };
    case 1:
      if ((form & 7) !== 0) return { type: 'time-passed' };
      return { type: 'stop-requested', order: stopOrder(bit(5)), requestId: null };
    case 2:
      return { type: bit(0) ? 'suspend-requested' : 'suspend-withdrawn' };
    case 3:
      return { type: 'enabled-changed', enabled: !bit(0) || bit(1) };
    case 4:
    case 5:
      return {
        type: 'lease-observed',
        observation: observation(state, form, outside),
        ...(form % 8 === 5 ? { askedAt: state.at - form } : {}),
      };
    case 6:
      return { type: 'lease-changed' };
    case 7:
    case 8:
    case 9:
      // A store never grants an epoch twice, nor one below what it has shown.
      outside.highestEpoch = Math.max(outside.highestEpoch, state.epochFloor) + 1;
      return {
        type: 'lease-granted',
        epoch: outside.highestEpoch,
        previous: bit(0) ? 'a' : null,
        granted: bit(1) ? { askedAt: state.at - (form % 50), ttlMs: 3_000 } : null,
      };
    case 10: {
      const causes = [
        'held',
        'lost-race',
        'foreign-lockfile',
        'held',
        'held',
        'completed',
      ] as const;
      const cause = causes[form % 6] ?? 'held';
      const waitsFor = bit(0) ? [100] : [];
      const seen = observation(state, form, outside);
      return { type: 'lease-denied', cause, waitsFor, observation: seen };
    }
    case 11:
      return {
        type: 'lease-failed',
        order: LEASE_ORDERS[form % LEASE_ORDERS.length] ?? 'acquire',
        code: 'FAILOVER_STATE_DIR',
        message: 'no space',
      };
    case 12:
      if (bit(0)) return { type: 'epoch-advanced', epoch: Math.max(1, state.epochFloor - 1) };
      outside.highestEpoch = Math.max(outside.highestEpoch, state.epochFloor) + 1;
      return { type: 'epoch-advanced', epoch: outside.highestEpoch };
    case 13:
      return { type: 'lease-lost', cause: 'it is taken', withinMs: bit(0) ? 500 : 0 };
    case 14:
      if (bit(1)) return { type: 'lease-renewed', askedAt: state.at - (form % 50), ttlMs: 3_000 };
      return { type: 'lease-released', heldBy: null };
    case 15:
      if (bit(1)) return { type: 'completion-recorded' };
      return { type: 'lease-released', heldBy: bit(0) ? 'pid 7 (thief)' : null };
    case 16:
    case 17:
      return { type: 'holder-inspected', inspection: inspection(state, form, outside) };
    case 18: {
      const outcome = FENCE_OUTCOMES[form % FENCE_OUTCOMES.length] ?? 'gone';
      return { type: 'fence-finished', outcome, detail: 'process 100' };
    }
    case 19:
    case 20:
      return { type: 'leftovers-cleared', ended: 0 };
    case 21:
      if (bit(4)) return healthChecked(state, form);
      return { type: 'leftovers-remain', detail: 'process 200' };
    case 22:
    case 23: {
      const phase = bit(3) ? 'promoting' : 'primary';
      const succession = bit(2) ? ['c', 'b'] : ['b'];
      return {
        type: 'heartbeat-received',
        ...{ node, run, epoch, phase, succession, lastTakeover: null },
        standing: { priority: bit(1) ? 50 : 200, chosen: bit(5) },
        ...(bit(4) ? { demotions: { count: form, agoMs: form * 50 } } : {}),
      };
    }
    case 24:
      return { type: 'promoted-received', node, run, epoch };
    case 25:
      return {
        type: 'shutdown-received',
        ...{ node, run, epoch, reason: 'stop', completed: form % 16 === 0, planned: bit(3) },
        successor: bit(1) ? (NODES[(form >> 2) % 3] ?? null) : null,
        workloadEndedAgoMs: bit(2) ? 3 : null,
      };
    case 26:
      return { type: 'connection-lost', run };
    case 27: {
      const role = bit(1) ? 'primary' : bit(2) ? 'candidate' : 'secondary';
      const probe = state.probeCount - (bit(0) ? 0 : 1);
      return {
        type: 'probe-answered',
        probe,
        run,
        epoch,
        role,
        version: bit(3) ? '1.0.0' : '2.0.0',
      };
    }
    case 28:
      return { type: 'probe-failed', probe: state.probeCount - (bit(0) ? 0 : 1), cause: 'silence' };
    case 29: {
      if (bit(5)) {
        const priority = bit(0) ? 50 : 200;
        return { type: 'peers-listed', peers: [{ node, run, priority, seenAgoMs: form }] };
      }
      const standby = { node: `n${String(form)}`, run, willing: bit(0), priority: 100 };
      return {
        type: 'standby-heard',
        standby: {
          ...standby,
          ...{ standby: 'cold', version: '1.0.0', standingByMs: form },
          ...(bit(1) ? { health: bit(2) ? 'healthy' : 'unhealthy' } : {}),
        },
      };
    }
    case 30:
      if (bit(2)) {
        const proxy = `p${String(form % 70)}`;
        return { type: bit(3) ? 'proxy-drained' : 'proxy-attached', proxy, epoch };
      }
      return { type: 'demotion-answered', accepted: bit(0), detail: 'as it likes' };
    case 31:
    case 32:
      return { type: 'workload-armed' };
    case 33:
      if (bit(0)) return { type: 'workload-disarmed', detail: 'signal SIGKILL' };
      return { type: 'workload-failed', code: 'FAILOVER_X', message: 'not found' };
    case 34:
      return { type: 'workload-activated' };
    case 35:
      return bit(0) ? { type: 'workload-ready' } : { type: 'workload-deactivated' };
    case 36: {
      const exitCode = bit(0) ? null : form & 2;
      return { type: 'workload-ended', exitCode, signal: bit(0) ? 'SIGKILL' : null };
    }
    case 37:
      if ((form & 7) === 7) return { type: 'workload-stop-failed', message: 'it cannot be seen' };
      return { type: 'workload-stopped' };
    case 38: {
      const hook = bit(0) ? 'promote' : 'demote';
      return { type: 'hook-finished', hook, ok: bit(1), detail: 'exit code' };
    }
    default:
      return request(form);
  }
}

/** What the world answers when all goes well. */
function fittingEvents(state: NodeState, outside: Outside): readonly EventBody[] {
  switch (state.phase) {
    case 'acquiring':
      outside.highestEpoch = Math.max(outside.highestEpoch, state.epochFloor) + 1;
      return [
        { type: 'lease-granted', epoch: outside.highestEpoch, previous: null, granted: null },
      ];
    case 'clearing':
      return [{ type: 'workload-armed' }, { type: 'leftovers-cleared', ended: 0 }];
    case 'starting':
      return [{ type: 'workload-activated' }, { type: 'workload-ready' }];
    case 'promoting':
      return [{ type: 'hook-finished', hook: 'promote', ok: true, detail: '' }];
    case 'serving':
      return [
        { type: 'time-passed' },
        { type: 'time-passed' },
        { type: 'workload-ended', exitCode: 1, signal: null },
        healthChecked(state, 1),
        healthChecked(state, 1),
      ];
    case 'restarting':
      outside.highestEpoch = Math.max(outside.highestEpoch, state.epochFloor) + 1;
      return [
        { type: 'workload-armed' },
        { type: 'leftovers-cleared', ended: 0 },
        { type: 'epoch-advanced', epoch: outside.highestEpoch },
        { type: 'workload-activated' },
        { type: 'workload-ready' },
      ];
    default:
      return [{ type: 'time-passed' }];
  }
}

/** Most are of the check that is under way. */
function healthChecked({ health }: NodeState, form: number): EventBody {
  const outcomes = ['passed', 'failed', 'timed-out', 'not-made'] as const;
  return {
    type: 'health-checked',
    number: health.checkCount - (form % 8 === 7 ? 1 : 0),
    outcome: outcomes[form % 4] ?? 'passed',
    detail: 'as it likes',
    cpuPressure: form % 3 === 0 ? 0.9 : null,
  };
}

function request(form: number): EventBody {
  const requestId = `r${String(form)}`;
  const bit = (index: number): boolean => ((form >> index) & 1) === 1;
  if (bit(0)) return { type: 'promote-requested', requestId, force: bit(1), answerEarly: bit(2) };
  if (bit(1)) return { type: 'check-requested', requestId, answerEarly: bit(2) };
  return {
    type: 'demote-requested',
    ...{ requestId, answerEarly: bit(4) },
    successor: bit(2) ? 'c' : null,
    holdMs: bit(3) ? 5_000 : null,
  };
}

function stopOrder(immediate: boolean): { exitCode: number; reason: string; immediate: boolean } {
  return { exitCode: 0, reason: 'SIGTERM', immediate };
}

/** One below, the same, one above, or a wild one. */
function epochNear(state: NodeState, form: number): number {
  if (form === 63) return 900_000;
  return Math.max(
    1,
    state.epochFloor + ((form >> 2) % 4 === 0 ? -1 : (form >> 2) % 4 === 1 ? 1 : 0),
  );
}

function observation(state: NodeState, form: number, outside: Outside): LeaseObservation {
  // A wild epoch is only ever heard, never found in the store.
  const epoch = form === 63 ? state.epochFloor : epochNear(state, form);
  outside.highestEpoch = Math.max(outside.highestEpoch, epoch);
  const named = (form & 3) !== 3;
  return {
    epoch,
    held: (form & 8) === 0,
    holder: named ? placed(holderNamed(NODES[form & 3] ?? 'a'), form) : null,
    recordUnreadable: !named,
    touch: (form & 16) === 0 ? 't0' : `t${String(form)}`,
    paused: (form & 48) === 48,
    ...((form & 24) === 24 ? { waitsFor: [100] } : {}),
  };
}

/** Some can't be heard from here, and one of them is heard later. */
function placed(holder: LeaseHolder, form: number): LeaseHolder {
  return (form & 36) === 36 ? { ...holder, apart: true } : holder;
}

function inspection(state: NodeState, form: number, outside: Outside): HolderInspection {
  const seen = observation(state, form, outside);
  const processes = ['running', 'sleeping', 'stopped', 'uninterruptible', 'ending', null] as const;
  return {
    observation: seen,
    holder: !seen.held ? 'none' : (form & 7) === 7 ? 'foreign' : 'ours',
    description: 'process 100',
    process: processes[form % 6] ?? null,
    sample: (form & 4) === 0 ? null : { overMs: 500, onCpuMs: 10, waitingMs: form * 8 },
    cpuPressure: (form & 32) === 0 ? null : 0.8,
  };
}
