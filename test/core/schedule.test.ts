// When a node wants to be woken.
import { describe, expect, it } from 'vitest';
import { OBSERVE_DELAY_MS } from '../../src/core/settings.ts';
import { nextPulseAt, nextWakeAt } from '../../src/core/schedule.ts';
import { initialState } from '../../src/core/state.ts';
import type { NodeState } from '../../src/core/state.ts';
import { transition } from '../../src/core/transition.ts';
import { parseScenarios, replay } from '../support/core-replay.ts';
import { DEFAULT_SETTINGS } from '../support/core-settings.ts';

function after(...script: readonly string[]): NodeState {
  const [scenario] = parseScenarios(['== a test', ...script].join('\n'));
  if (scenario === undefined) throw new Error('there is no scenario');
  return replay(scenario).state;
}

describe('nextWakeAt', () => {
  it.each([
    [
      'the end of the listening',
      after('settings startRole=secondary', 'at 0 started', 'until 1600'),
      2_000,
    ],
    ['the next beat of a primary', after('given serving', 'until 1'), 500],
    ['the silence of the primary', after('given following', 'until 1700'), 2_000],
    [
      'the turn of this node',
      after('given following succession=c,d,b', 'at 100 connection-lost'),
      110,
    ],
    [
      'the look at a lease that changed',
      after('given following', 'at 100 lease-changed'),
      100 + OBSERVE_DELAY_MS,
    ],
    [
      'the process that is to be armed again',
      after(
        'settings standby=armed retryBackoffMinMs=200',
        'given following',
        'at 100 workload-disarmed',
      ),
      300,
    ],
    [
      'the next claim',
      after('given following', 'at 100 connection-lost', 'at 101 lease-denied epoch=3 holder=a'),
      103,
    ],
  ])('is %s', (_, state, at) => {
    expect(nextWakeAt(state, DEFAULT_SETTINGS)).toBe(at);
  });

  it('is the moment when the answer to a probe is overdue', () => {
    const state = after('given following', 'until 2001');
    expect(nextWakeAt({ ...state, pulseAt: Infinity }, DEFAULT_SETTINGS)).toBe(3_500);
  });

  it('never comes for a node that has stopped', () => {
    const state = after('given following', 'at 1 stop-requested', 'at 2 workload-stopped');
    expect(nextWakeAt(state, DEFAULT_SETTINGS)).toBe(Infinity);
  });
});

describe('nextPulseAt', () => {
  it.each([
    ['keeps the beat', 1_000, 1_500],
    ['keeps the beat when it is a little late', 1_200, 1_500],
    ['leaves out beats that were missed', 9_000, 9_500],
    ['does not hurry', 900, 1_000],
  ])('%s', (_, at, expected) => {
    const state: NodeState = { ...initialState(0, 1), pulseAt: 1_000, at };
    expect(nextPulseAt(state, DEFAULT_SETTINGS)).toBe(expected);
  });
});

describe('time', () => {
  it('never runs backwards for the node, whatever the events say', () => {
    const state = after('given following', 'until 1000');
    const earlier = transition(state, { type: 'lease-changed', at: 3 }, DEFAULT_SETTINGS);
    expect(earlier.state.at).toBe(state.at);
  });
});
