// What a node keeps of its decisions until they are written.
import { describe, expect, it } from 'vitest';
import { initialState } from '../../src/core/state.ts';
import { Recorder } from '../../src/journal/recorder.ts';
import { stepsOfALife } from './support.ts';

const NO_NEWS = stepsOfALife(1, 1).map((step) => ({ ...step, move: null, state: step.before }));

describe('a recorder', () => {
  it('gives what it was told since a state, and that state', () => {
    const recorder = new Recorder();
    const steps = stepsOfALife(5, 20);
    for (const step of steps) recorder.note(step, () => 0);
    const segment = recorder.take();
    expect(segment?.base).toEqual(initialStateOf(steps));
    expect(segment?.n).toBe(0);
    expect(segment?.decisions.map(({ event }) => event)).toEqual(steps.map(({ event }) => event));
    expect(recorder.take()).toBeNull();
  });

  it('keeps the state as it was', () => {
    const recorder = new Recorder();
    const [step] = stepsOfALife(5, 1);
    if (step === undefined) throw new Error('no step');
    const own = { ...step.before };
    recorder.note({ ...step, before: own }, () => 0);
    Object.assign(own, { epochFloor: 1_000 });
    expect(recorder.take()?.base).toEqual(step.before);
  });

  it('goes on where it was taken from, without a gap', () => {
    const recorder = new Recorder();
    const steps = stepsOfALife(5, 20);
    for (const step of steps.slice(0, 7)) recorder.note(step, () => 0);
    recorder.take();
    for (const step of steps.slice(7)) recorder.note(step, () => 0);
    const segment = recorder.take();
    expect(segment).toMatchObject({ n: 7, base: steps[7]?.before });
    expect(segment?.decisions[0]?.n).toBe(8);
  });

  it('has no news of what changes nothing, and forgets the oldest of it', () => {
    const recorder = new Recorder();
    const [step] = NO_NEWS;
    if (step === undefined) throw new Error('no step');
    for (let count = 0; count < 10_000; count += 1) recorder.note(step, () => 0);
    expect(recorder.hasNews).toBe(false);
    const segment = recorder.take();
    expect(segment?.decisions.length).toBeLessThanOrEqual(48);
    expect(segment?.decisions.length).toBeGreaterThanOrEqual(24);
    expect(segment?.decisions.at(-1)?.n).toBe(10_000);
  });

  it('stays bounded also while its news are not taken', () => {
    const recorder = new Recorder();
    const moving = stepsOfALife(5, 40).find(({ move }) => move !== null);
    if (moving === undefined) throw new Error('no step');
    for (let count = 0; count < 10_000; count += 1) recorder.note(moving, () => 0);
    expect(recorder.hasNews).toBe(true);
    expect(recorder.take()?.decisions.length).toBeLessThanOrEqual(480);
    expect(recorder.hasNews).toBe(false);
  });

  it('has news of a warning, a pause and a change by the application', () => {
    const before = initialState(0, 1);
    for (const change of [{ warning: 'no disk' }, { paused: true }, { enabled: false }]) {
      const recorder = new Recorder();
      const state = { ...before, ...change };
      const event = { type: 'time-passed', at: 0 } as const;
      recorder.note({ before, state, event, effects: [], move: null, reason: '' }, () => 0);
      expect(recorder.hasNews).toBe(true);
    }
  });
});

function initialStateOf(steps: ReturnType<typeof stepsOfALife>): unknown {
  return steps[0]?.before;
}
