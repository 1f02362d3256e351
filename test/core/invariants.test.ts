// Each invariant: the step that breaks it is refused.
import { describe, expect, it } from 'vitest';
import type { Announcement, Effect } from '../../src/core/effect.ts';
import { checkInvariants, InvariantViolation } from '../../src/core/invariants.ts';
import type { NodeState, PrimaryState } from '../../src/core/state.ts';
import type { TransitionId } from '../../src/core/transitions.ts';
import { parseScenarios, replay } from '../support/core-replay.ts';

function after(...script: readonly string[]): NodeState {
  const [scenario] = parseScenarios(['== a test', ...script].join('\n'));
  if (scenario === undefined) throw new Error('there is no scenario');
  return replay(scenario).state;
}

const following = after('given following');
const serving = after('given serving');
const acquiring = after('given following', 'at 1 connection-lost');
const clearing = after('given following', 'at 1 connection-lost', 'at 2 lease-granted epoch=4');
const starting = after(
  ...['given following', 'at 1 connection-lost', 'at 2 lease-granted epoch=4'],
  ...['at 3 workload-armed', 'at 4 leftovers-cleared'],
);
const restarting = after('given serving', 'at 1 workload-ended');
const activate: Effect = { type: 'activate-workload', epoch: 4, previous: null, reason: 'start' };

function publish(announcement: Announcement): Effect {
  return { type: 'publish', announcement };
}

const heartbeat: Announcement = {
  ...{ kind: 'heartbeat', epoch: 3, phase: 'primary', uptimeMs: 1 },
  ...{ succession: [], lastTakeover: null },
};
const promoted: Announcement = { kind: 'promoted', epoch: 3, previous: null, reason: 'start' };
const shutdown: Announcement = {
  ...{ kind: 'shutdown', epoch: 3, reason: 'stop', successor: null, completed: false },
  ...{ planned: true, workloadEndedAgoMs: null },
};

interface Broken {
  readonly before: NodeState;
  readonly state?: NodeState;
  readonly effects?: readonly Effect[];
  readonly move?: TransitionId;
}

const CASES: readonly (readonly [string, Broken])[] = [
  ['watching became serving without a row', { before: following, state: serving }],
  [
    'row promoted does not start from watching',
    { before: following, state: serving, move: 'promoted' },
  ],
  [
    'row demoted does not lead to serving',
    { before: after('given serving', 'at 1 lease-lost'), state: serving, move: 'demoted' },
  ],
  // A phase of another role: no state of the types, so it is made by force.
  [
    'serving is no phase of a secondary',
    { before: serving, state: { ...serving, role: 'secondary' } as unknown as NodeState },
  ],
  ['the epoch floor went back', { before: following, state: { ...following, epochFloor: 2 } }],
  ['time went back', { before: following, state: { ...following, at: -1 } }],
  [
    'epoch 0 is not an epoch',
    { before: serving, state: { ...(serving as PrimaryState), epoch: 0 } },
  ],
  [
    'epoch 3.5 is not an epoch',
    { before: serving, state: { ...(serving as PrimaryState), epoch: 3.5 } },
  ],
  [
    'the epoch of a term went back',
    { before: serving, state: { ...(serving as PrimaryState), epoch: 2 } },
  ],
  [
    'epoch 4 was granted twice',
    { before: { ...acquiring, epochFloor: 4 }, state: clearing, move: 'lease-granted' },
  ],
  [
    'too many requests wait',
    {
      before: serving,
      state: {
        ...serving,
        requests: Array.from({ length: 18 }, (_, i) => ({ id: String(i), kind: 'check' as const })),
      },
    },
  ],
  [
    'a workload is started by a node that does not hold the lease',
    { before: following, effects: [activate] },
  ],
  [
    'a workload is started by a node that does not hold the lease',
    { before: serving, effects: [{ ...activate, epoch: 3 }] },
  ],
  [
    'a workload is started under another epoch',
    {
      before: clearing,
      state: starting,
      move: 'leftovers-cleared',
      effects: [{ ...activate, epoch: 9 }],
    },
  ],
  [
    'a workload is started beside leftovers',
    { before: restarting, effects: [{ ...activate, epoch: 3 }] },
  ],
  [
    'the lease is claimed by a node that is no candidate',
    { before: following, effects: [{ type: 'acquire-lease', floor: 3 }] },
  ],
  [
    'the lease is released while the workload may run',
    { before: serving, effects: [{ type: 'release-lease' }] },
  ],
  [
    'the lease is released while the workload may run',
    { before: after('given serving', 'at 1 lease-lost'), effects: [{ type: 'release-lease' }] },
  ],
  [
    'the lease is released while the workload may run',
    {
      before: after(
        'at 0 started',
        'at 0 lease-observed',
        'at 1 lease-granted',
        'at 2 workload-failed',
      ),
      effects: [{ type: 'release-lease' }],
    },
  ],
  [
    'a node is suspended while it holds the lease',
    { before: serving, effects: [{ type: 'suspend-process' }] },
  ],
  [
    'a node is suspended that may be granted the lease',
    { before: { ...following, releaseAt: 9_000 }, effects: [{ type: 'suspend-process' }] },
  ],
  [
    'a node is suspended that may be granted the lease',
    { before: acquiring, effects: [{ type: 'suspend-process' }] },
  ],
  [
    'the lease is claimed by a node that is about to be suspended',
    { before: { ...acquiring, suspend: true }, effects: [{ type: 'acquire-lease', floor: 3 }] },
  ],
  [
    'a node exits before it has stopped',
    {
      before: following,
      effects: [{ type: 'exit', order: { exitCode: 0, reason: 'x', immediate: false } }],
    },
  ],
  [
    'a holder is fenced without a verdict',
    { before: following, effects: [{ type: 'fence-holder', epoch: 3, run: 'a1', mode: 'kill' }] },
  ],
  [
    'an epoch is advanced outside a restart',
    { before: serving, effects: [{ type: 'advance-epoch', floor: 3 }] },
  ],
  [
    'a promotion is announced before it is complete',
    { before: starting, effects: [publish(promoted)] },
  ],
  [
    'an end is announced before the lease is free',
    { before: serving, effects: [publish(shutdown)] },
  ],
  [
    'an end is announced before the lease is free',
    { before: following, effects: [publish(shutdown)] },
  ],
  [
    'a heartbeat is sent by a node that holds no lease',
    { before: following, effects: [publish(heartbeat)] },
  ],
];

describe('checkInvariants', () => {
  it.each(CASES)('%s', (rule, { before, state = before, effects = [], move = null }) => {
    const step = (): void => {
      checkInvariants(before, { state, effects, move });
    };
    expect(step).toThrow(InvariantViolation);
    expect(step).toThrow(rule);
  });

  it('lets a step pass that breaks none', () => {
    const step = { state: serving, effects: [publish(heartbeat)], move: null };
    expect(() => {
      checkInvariants(serving, step);
    }).not.toThrow();
  });
});
