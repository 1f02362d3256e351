// How often a secondary looks at the lease of the primary that it hears, and of one that it does not.
import { expect, it } from 'vitest';
import type { EventBody } from '../../src/core/event.ts';
import { nextWakeAt } from '../../src/core/schedule.ts';
import type { Settings } from '../../src/core/settings.ts';
import type { NodeState } from '../../src/core/state.ts';
import { transition } from '../../src/core/transition.ts';
import { parseScenarios, replay } from '../support/core-replay.ts';
import { DEFAULT_SETTINGS } from '../support/core-settings.ts';

const HEARTBEAT: EventBody = {
  ...{ type: 'heartbeat-received', node: 'a', run: 'a1', epoch: 3, phase: 'primary' },
  ...{ succession: [], lastTakeover: null },
};

const ANSWER = {
  type: 'probe-answered',
  run: 'a1',
  epoch: 3,
  role: 'primary',
  version: '1.2.3',
} as const;

/** What a look shows of a holder that lives. */
function seen(at: number): EventBody {
  const holder = { node: 'a', run: 'a1', endpoints: { bus: 'a', rpc: 'a' } };
  const held = { held: true, holder, recordUnreadable: false, touch: `t${String(at)}` };
  return { type: 'lease-observed', observation: { epoch: 3, paused: false, ...held } };
}

/** The times at which it looked, ms, while heartbeats came at these. */
function looks(heartbeatsAt: readonly number[], untilMs: number, settings: Settings): number[] {
  const [scenario] = parseScenarios('== a test\ngiven following\nuntil 1');
  if (scenario === undefined) throw new Error('there is no scenario');
  let state: NodeState = replay(scenario).state;
  const times: number[] = [];
  const step = (event: EventBody, at: number): void => {
    const { effects, state: next } = transition(state, { ...event, at }, settings);
    state = next;
    for (const effect of effects) {
      if (effect.type === 'probe') step({ ...ANSWER, probe: effect.probe }, at);
      if (effect.type !== 'observe-lease') continue;
      times.push(at);
      step(seen(at), at);
    }
  };
  const due = [...heartbeatsAt];
  for (;;) {
    const at = Math.min(nextWakeAt(state, settings), due[0] ?? Infinity);
    if (at > untilMs) return times;
    if (at === due[0]) step(HEARTBEAT, due.shift() ?? 0);
    else step({ type: 'time-passed' }, at);
  }
}

const beats = (count: number): number[] => Array.from({ length: count }, (_, i) => 100 + i * 500);

it('looks at it at one in six heartbeats', () => {
  expect(looks(beats(20), 9_900, DEFAULT_SETTINGS)).toEqual([3_100, 6_100, 9_100]);
});

it('looks at it within three seconds, where heartbeats are far apart at each', () => {
  const settings = { ...DEFAULT_SETTINGS, heartbeatIntervalMs: 2_000, heartbeatTimeoutMs: 8_000 };
  const times = looks([100, 2_100, 4_100, 6_100], 6_200, settings);
  expect(times).toEqual([2_100, 4_100, 6_100]);
});

it('looks at one that ends by itself at each heartbeat', () => {
  const settings = { ...DEFAULT_SETTINGS, leaseTtlMs: 3_000 };
  expect(looks(beats(4), 1_900, settings)).toEqual([600, 1_100, 1_600]);
});

it('looks at each beat of its own once no heartbeat comes', () => {
  expect(looks([100, 600], 2_400, DEFAULT_SETTINGS)).toEqual([1_225, 1_725, 2_225]);
});
