// A node lets its process be stopped once its journal is written and nothing is held, and not when it was told to go on.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { NodeState } from '../../src/core/state.ts';
import { Suspension } from '../../src/runtime/suspension.ts';
import { parseScenarios, replay } from '../support/core-replay.ts';

/** Longer than the last messages have to leave. */
const LONG_MS = 1_000;

function given(phase: string): NodeState {
  const [scenario] = parseScenarios(`== a test\ngiven ${phase}`);
  if (scenario === undefined) throw new Error('there is no scenario');
  return replay(scenario).state;
}

let said: string[];
let state: NodeState;
let flush: () => Promise<void>;

function suspensionOf(stopProcess: (() => void) | null): Suspension {
  return new Suspension({
    stopProcess,
    state: () => state,
    dispatch: ({ type }) => said.push(type),
    flush: () => flush(),
  });
}

const stopped = (): void => {
  said.push('stopped');
};

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  state = given('following');
  flush = () => {
    said.push('written');
    return Promise.resolve();
  };
});
afterEach(() => {
  vi.useRealTimers();
});

it('stops the process once its journal is written, and it goes on as one that may lead', async () => {
  const suspension = suspensionOf(stopped);
  suspension.ask();
  suspension.carryOut();
  expect(said).toEqual(['suspend-requested']);
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(said).toEqual(['suspend-requested', 'written', 'stopped', 'suspend-withdrawn']);
});

it('stops nothing that was told to go on meanwhile, not even while the journal is written', async () => {
  const suspension = suspensionOf(stopped);
  suspension.carryOut();
  suspension.withdraw();
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(said).toEqual(['suspend-withdrawn']);
  flush = () => {
    suspension.withdraw();
    return Promise.resolve();
  };
  suspension.carryOut();
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(said).toEqual(['suspend-withdrawn', 'suspend-withdrawn']);
});

it('asks again where something is held by then', async () => {
  const suspension = suspensionOf(stopped);
  suspension.carryOut();
  state = given('serving');
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(said).toEqual(['written', 'suspend-requested']);
});

it('stops once where it is ordered twice', async () => {
  const suspension = suspensionOf(stopped);
  suspension.carryOut();
  suspension.carryOut();
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(said.filter((word) => word === 'stopped')).toHaveLength(1);
});

it('takes back at once what nothing can carry out', () => {
  suspensionOf(null).carryOut();
  expect(said).toEqual(['suspend-withdrawn']);
});
