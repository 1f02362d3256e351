// Cores that are broken on purpose, each in one way: what the checker has to find.
import type { Effect } from '../../src/core/effect.ts';
import type { Event } from '../../src/core/event.ts';
import { InvariantViolation } from '../../src/core/invariants.ts';
import type { Settings } from '../../src/core/settings.ts';
import type { NodeState } from '../../src/core/state.ts';
import { transition } from '../../src/core/transition.ts';
import type { Transition } from '../../src/core/transition.ts';
import type { Promised } from '../../src/simulation/checker.ts';
import type { FaultKind } from '../../src/simulation/faults.ts';
import type { LeaseKind } from '../../src/simulation/profile.ts';
import type { Decide } from '../../src/simulation/world.ts';

export interface BrokenCore {
  readonly title: string;
  readonly promise: Promised;
  readonly transition: Decide;
  /** The kinds of trouble that show it; all if none are named. */
  readonly kinds?: readonly FaultKind[];
  readonly lease?: LeaseKind;
}

export const BROKEN_CORES: readonly BrokenCore[] = [
  {
    title: 'starts beside what an earlier run left',
    promise: 'S1',
    transition: (before, event, settings) => {
      const next = transition(before, event, settings);
      if (!next.effects.some((effect) => effect.type === 'clear-leftovers')) return next;
      return followedBy(next, { type: 'leftovers-cleared', at: next.state.at, ended: 0 }, settings);
    },
  },
  {
    title: 'starts again under the epoch of the last run',
    promise: 'S2',
    transition: withEffects((effect) =>
      effect.type === 'activate-workload' && effect.reason === 'restart'
        ? [{ ...effect, epoch: effect.epoch - 1 }]
        : [effect],
    ),
  },
  {
    title: 'waits for ever after a failure',
    promise: 'S4',
    transition: (before, event, settings) => {
      const next = transition(before, event, settings);
      const { state } = next;
      const isStuck = state.phase === 'waiting' && state.why === 'backoff';
      return isStuck ? { ...next, state: { ...state, until: Infinity } } : next;
    },
  },
  {
    title: 'lets its guard wait for longer than its lease lasts',
    promise: 'S3',
    lease: 'timed',
    transition: withEffects((effect) =>
      effect.type === 'extend-deadline'
        ? [{ ...effect, deadlineAt: effect.deadlineAt + 10_000 }]
        : [effect],
    ),
  },
  {
    title: 'ignores the loss of the connection and every silence',
    promise: 'S4',
    transition: withEvents((event, state) => {
      if (event.type === 'connection-lost' || event.type === 'lease-changed') return null;
      const isAnswer = event.type === 'lease-observed' || event.type === 'holder-inspected';
      return isAnswer && state.phase !== 'listening' ? null : event;
    }),
  },
  {
    title: 'is suspended while it steps down',
    promise: 'S4',
    transition: (before, event, settings) => {
      const next = transition(before, event, settings);
      if (event.type !== 'suspend-requested' || next.state.phase !== 'demoting') return next;
      return { ...next, effects: [...next.effects, { type: 'suspend-process' }] };
    },
  },
  {
    title: 'is suspended while it gives back what was granted too late',
    promise: 'S4',
    kinds: ['suspend', 'slow-disk'],
    transition: (before, event, settings) => {
      const next = transition(before, event, settings);
      const { state } = next;
      if (state.role !== 'secondary' || !state.suspend || state.suspendOrdered) return next;
      const effects: readonly Effect[] = [...next.effects, { type: 'suspend-process' }];
      return { ...next, state: { ...state, suspendOrdered: true }, effects };
    },
  },
  {
    title: 'counts as about to be suspended for ever, once it was',
    promise: 'S4',
    kinds: ['suspend'],
    transition: withEvents((event) => (event.type === 'suspend-withdrawn' ? null : event)),
  },
  {
    title: 'takes a failed promote command for a success',
    promise: 'S5',
    kinds: ['hook-failure', 'crash'],
    transition: withEvents((event) =>
      event.type === 'hook-finished' ? { ...event, ok: true } : event,
    ),
  },
  {
    title: 'keeps the lease after a failed promote command',
    promise: 'S5',
    kinds: ['hook-failure', 'workload-complete'],
    transition: (before, event, settings) => {
      const next = transition(before, event, settings);
      const { state } = next;
      if (state.phase !== 'unwinding') return next;
      if (!state.failure.message.startsWith('the promote command failed')) return next;
      return { ...next, effects: next.effects.filter(({ type }) => type !== 'release-lease') };
    },
  },
  {
    title: 'announces its end before the lease is free',
    promise: 'S5',
    transition: (before, event, settings) => {
      const next = transition(before, event, settings);
      if (next.move === null || next.state.phase !== 'demoting') return next;
      return { ...next, effects: [...next.effects, END] };
    },
  },
  {
    title: 'ends a primary that it only thinks is silent',
    promise: 'S6',
    transition: withEvents((event) => {
      if (event.type === 'heartbeat-received' || event.type === 'probe-answered') return null;
      if (event.type === 'lease-observed') {
        return { ...event, observation: { ...event.observation, touch: null } };
      }
      if (event.type !== 'holder-inspected') return event;
      const { inspection } = event;
      return {
        ...event,
        inspection: { ...inspection, observation: { ...inspection.observation, touch: null } },
      };
    }),
  },
  {
    title: 'ends a process that answers that it does not lead',
    promise: 'S6',
    kinds: ['slow-disk', 'demote'],
    transition: withEvents((event) => {
      if (event.type !== 'probe-answered' || event.role !== 'secondary') return event;
      const { at, probe } = event;
      return { type: 'probe-failed', at, probe, cause: 'as good as no answer' };
    }),
  },
  {
    title: 'breaks an invariant of its own',
    promise: 'core',
    transition: (before, event, settings) => {
      if (event.type === 'lease-granted') throw new InvariantViolation('on purpose');
      return transition(before, event, settings);
    },
  },
];

const END: Effect = {
  type: 'publish',
  announcement: {
    kind: 'shutdown',
    epoch: 1,
    reason: 'too early',
    successor: null,
    completed: false,
    planned: true,
    workloadEndedAgoMs: null,
  },
};

function followedBy(first: Transition, event: Event, settings: Settings): Transition {
  const second = transition(first.state, event, settings);
  const before = first.effects.filter(({ type }) => type !== 'clear-leftovers');
  return { ...second, effects: [...before, ...second.effects] };
}

function withEffects(change: (effect: Effect) => readonly Effect[]): Decide {
  return (before, event, settings) => {
    const next = transition(before, event, settings);
    return { ...next, effects: next.effects.flatMap(change) };
  };
}

/** Null: the event is not taken in, only its time. */
function withEvents(change: (event: Event, state: NodeState) => Event | null): Decide {
  return (before, event, settings) => {
    const changed = change(event, before);
    if (changed !== null) return transition(before, changed, settings);
    const state = { ...before, at: Math.max(before.at, event.at) };
    return { state, effects: [], move: null, reason: '' };
  };
}
