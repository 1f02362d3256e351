// Rounds of work: at once, at intervals and when asked for, never two at a time.
import { describe, expect, it, onTestFinished } from 'vitest';
import { Rounds } from '../../src/health/rounds.ts';
import { until } from '../support/until.ts';

/** Longer than a test: only what is asked for begins another round. */
const NEVER_MS = 3_600_000;

interface Stage {
  readonly rounds: Rounds;
  /** How many rounds have begun. */
  readonly begun: () => number;
  /** The most that were under way at once. */
  readonly most: () => number;
  /** Ends the round that is under way. */
  readonly finish: () => void;
}

/** Rounds that end when they are told to, or when their signal aborts. */
function stage(intervalMs = NEVER_MS): Stage {
  let [begun, underWay, most] = [0, 0, 0];
  let finish: () => void = () => undefined;
  const work = async (signal: AbortSignal): Promise<void> => {
    begun += 1;
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise<void>((resolve) => {
      finish = resolve;
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    underWay -= 1;
  };
  const rounds = new Rounds({ work, intervalMs: () => intervalMs });
  onTestFinished(() => rounds.stop());
  return {
    ...{ rounds, begun: () => begun, most: () => most },
    finish: () => {
      finish();
    },
  };
}

describe('rounds', () => {
  it('begin at once, and again at each interval', async () => {
    const { rounds, begun, finish } = stage(1);
    rounds.start();
    for (const n of [1, 2, 3]) {
      await until(`round ${String(n)}`, () => begun() === n);
      finish();
    }
  });

  it('asked for while one is under way are one, right after it', async () => {
    const { rounds, begun, most, finish } = stage();
    rounds.start();
    await until('the first round', () => begun() === 1);
    const asked = [rounds.now(), rounds.now(), rounds.now()];
    expect(begun()).toBe(1);
    finish();
    await until('the round that was asked for', () => begun() === 2);
    finish();
    await Promise.all(asked);
    expect([begun(), most()]).toEqual([2, 1]);
  });

  it('asked for in a pause begin at once', async () => {
    const { rounds, begun, finish } = stage();
    rounds.start();
    const first = rounds.now();
    await until('the first round', () => begun() === 1);
    finish();
    await first;
    const asked = rounds.now();
    await until('the round that was asked for', () => begun() === 2);
    finish();
    await asked;
  });

  it('are not asked for of what does not run', async () => {
    const { rounds, begun } = stage();
    await rounds.now();
    rounds.start();
    await until('the first round', () => begun() === 1);
    await rounds.stop();
    await rounds.now();
    expect(begun()).toBe(1);
  });

  it('start and stop once, however often they are told to', async () => {
    const { rounds, begun } = stage();
    await rounds.stop();
    rounds.start();
    rounds.start();
    await until('the first round', () => begun() === 1);
    expect(rounds.isRunning).toBe(true);
    await Promise.all([rounds.stop(), rounds.stop()]);
    await rounds.stop();
    expect(rounds.isRunning).toBe(false);
    expect(begun()).toBe(1);
  });

  it('that are stopped leave nobody waiting who has asked', async () => {
    const { rounds, begun } = stage();
    rounds.start();
    await until('the first round', () => begun() === 1);
    const asked = rounds.now();
    await rounds.stop();
    await asked;
    expect(begun()).toBe(1);
  });

  it('started anew wait for the end of those before', async () => {
    const { rounds, begun, most } = stage();
    rounds.start();
    await until('the first round', () => begun() === 1);
    void rounds.stop();
    rounds.start();
    await until('the next first round', () => begun() === 2);
    expect(most()).toBe(1);
  });
});
