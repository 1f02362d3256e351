// How long a primary is waited for, under a clock that is moved by hand.
import { describe, expect, it } from 'vitest';
import { Patience } from '../../src/proxy/patience.ts';
import type { Waiting } from '../../src/proxy/patience.ts';
import { HandClock } from './support/hand-clock.ts';

const LIMITS = { answerTimeoutMs: 1_600, idleTimeoutMs: 8_000 };

interface Scene {
  readonly clock: HandClock;
  readonly patience: Patience;
  /** Starts one that gives up after so long, and tells when. */
  readonly wait: (limitMs: number) => { readonly waiting: Waiting; readonly lasted: () => number };
}

function sceneOf(): Scene {
  const clock = new HandClock();
  const patience = new Patience(LIMITS, clock);
  return {
    ...{ clock, patience },
    wait: (limitMs) => {
      const [since, startedAt] = [patience.round, clock.now()];
      let endedAt = NaN;
      const waiting: Waiting = {
        ...{ index: null, turn: 0 },
        review: () => {
          if (!patience.isOver(since, limitMs)) return;
          endedAt = clock.now();
          patience.delete(waiting);
        },
      };
      patience.add(waiting);
      return { waiting, lasted: () => endedAt - startedAt };
    },
  };
}

describe('patience', () => {
  it('lasts as long as it is to, and two rounds more at most', () => {
    const { clock, wait } = sceneOf();
    const keeper = wait(100_000);
    for (const aheadMs of [0, 30, 99]) {
      clock.advance(aheadMs);
      const { lasted } = wait(1_600);
      clock.advance(2_000);
      expect(lasted()).toBeGreaterThanOrEqual(1_600);
      expect(lasted()).toBeLessThanOrEqual(1_800);
    }
    expect(keeper.lasted()).toBeNaN();
  });

  it('counts one round for a time in which the process stood still', () => {
    const { clock, patience, wait } = sceneOf();
    const { lasted } = wait(1_600);
    clock.advance(150);
    const before = patience.round;
    clock.sleep(60_000);
    clock.advance(0);
    expect(patience.round).toBe(before + 1);
    clock.advance(1_200);
    expect(lasted()).toBeNaN();
  });

  it('hears first what has come while the process stood still', () => {
    const { clock, wait } = sceneOf();
    const { lasted } = wait(1_600);
    clock.advance(1_650);
    clock.sleep(60_000);
    clock.advance(50);
    expect(lasted()).toBeNaN();
    clock.advance(100);
    expect(lasted()).toBeGreaterThan(60_000);
  });

  it('ends also in a process that is late for each round', () => {
    const { clock, wait } = sceneOf();
    const { lasted } = wait(1_600);
    for (let round = 0; round < 20; round += 1) {
      clock.sleep(250);
      clock.advance(0);
    }
    expect(lasted()).toBeGreaterThan(1_600);
  });

  it('has one timer for all, and none once nobody has waited for a round', () => {
    const { clock, patience, wait } = sceneOf();
    const all = [wait(1), wait(1), wait(1)];
    expect(clock.pending).toBe(1);
    for (const { waiting } of all) patience.delete(waiting);
    clock.advance(100);
    expect(clock.pending).toBe(0);
    wait(1);
    expect(clock.pending).toBe(1);
    patience.stop();
    expect(clock.pending).toBe(0);
  });
});
