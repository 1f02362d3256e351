// What the end of the workload means.
import { describe, expect, it } from 'vitest';
import { decideRestart, describeEnd, exitCodeOf } from '../../src/core/restart-policy.ts';
import type { RestartDecision, WorkloadEnd } from '../../src/core/restart-policy.ts';
import type { Settings } from '../../src/core/settings.ts';
import { initialState } from '../../src/core/state.ts';
import type { KnownStandby, PrimaryBase, PrimaryState } from '../../src/core/state.ts';
import { primaryBase } from '../../src/core/outcome.ts';
import { settingsWith } from '../support/core-settings.ts';

const NOW = 100_000;
const crashed: WorkloadEnd = { exitCode: 1, signal: null };
const done: WorkloadEnd = { exitCode: 0, signal: null };

const willing: KnownStandby = {
  ...{ node: 'c', run: 'c1', willing: true, priority: 100, standby: 'hot' as const },
  ...{ version: '1.0.0', standingByMs: 1, heardAt: NOW },
};

function primary(changes: Partial<PrimaryBase>): PrimaryState {
  const term = { epoch: 3, previous: null, chosen: false, standbys: [], proxies: [] };
  const base = primaryBase({ ...initialState(0, 1), at: NOW }, term);
  return { ...base, ...changes, phase: 'serving' };
}

const often = { restarts: [50_000, 60_000, 70_000] };

const CASES: readonly (readonly [
  string,
  Partial<Settings>,
  WorkloadEnd,
  Partial<PrimaryBase>,
  RestartDecision,
])[] = [
  ['always: any end starts it again', {}, done, {}, { type: 'restart', restarts: [NOW] }],
  [
    'always: restarts outside the window do not count',
    {},
    crashed,
    { restarts: [1, 40_000, 60_000, 70_000] },
    { type: 'restart', restarts: [60_000, 70_000, NOW] },
  ],
  [
    'always: the limit is reached',
    {},
    crashed,
    often,
    {
      type: 'step-down',
      coolOffMs: 30_000,
      why: '3 restarts within 1m, so this node makes no claim for 30s',
    },
  ],
  [
    'always: the cool-off doubles',
    {},
    crashed,
    { ...often, coolOffMs: 30_000 },
    {
      type: 'step-down',
      coolOffMs: 60_000,
      why: '3 restarts within 1m, so this node makes no claim for 1m',
    },
  ],
  [
    'always: the cool-off ends at an hour',
    {},
    crashed,
    { ...often, coolOffMs: 3_000_000 },
    {
      type: 'step-down',
      coolOffMs: 3_600_000,
      why: '3 restarts within 1m, so this node makes no claim for 1h',
    },
  ],
  ['on-failure: exit code 0 completes', { restart: 'on-failure' }, done, {}, { type: 'completed' }],
  [
    'on-failure: a signal does not',
    { restart: 'on-failure' },
    { exitCode: null, signal: 'SIGTERM' },
    {},
    { type: 'restart', restarts: [NOW] },
  ],
  ['never: ends with its code', { restart: 'never' }, crashed, {}, { type: 'exit', exitCode: 1 }],
  [
    'hot: hands over when another is willing',
    { standby: 'hot' },
    crashed,
    { standbys: [willing] },
    { type: 'step-down', coolOffMs: 0, why: 'a hot standby is faster than a restart' },
  ],
  [
    'hot: one that was not heard for long does not count',
    { standby: 'hot' },
    crashed,
    { standbys: [{ ...willing, heardAt: 0 }] },
    { type: 'restart', restarts: [NOW] },
  ],
  [
    'cold: does not hand over',
    {},
    crashed,
    { standbys: [willing] },
    { type: 'restart', restarts: [NOW] },
  ],
];

describe('decideRestart', () => {
  it.each(CASES)('%s', (_, changes, end, state, decision) => {
    expect(decideRestart(primary(state), end, settingsWith(changes))).toEqual(decision);
  });
});

describe('exitCodeOf and describeEnd', () => {
  it.each([
    [{ exitCode: 3, signal: null }, 3, 'exit code 3'],
    [{ exitCode: null, signal: 'SIGKILL' }, 137, 'signal SIGKILL (exit code 137)'],
    [{ exitCode: null, signal: 'SIGTERM' }, 143, 'signal SIGTERM (exit code 143)'],
    [{ exitCode: null, signal: 'SIGPWR' }, 158, 'signal SIGPWR (exit code 158)'],
    [{ exitCode: null, signal: 'SIGNEW' }, 128, 'signal SIGNEW (exit code 128)'],
  ])('%o', (end, code, words) => {
    expect(exitCodeOf(end)).toBe(code);
    expect(describeEnd(end)).toBe(words);
  });
});
