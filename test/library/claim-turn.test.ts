// When a node of an election claims, by its number and by who else is there.
import { describe, expect, it } from 'vitest';
import { claimAtMs, holdOffMs, tickDelayMs } from '../../src/library/claim-turn.ts';
import type { ClaimSituation } from '../../src/library/claim-turn.ts';

const HERE: ClaimSituation = {
  strategy: 'priority',
  priority: 2,
  others: [],
  freeSinceMs: 10_000,
  registeredAtMs: 0,
  windowMs: 600,
};

describe('with the strategy race', () => {
  it('a node claims as soon as the lease is free', () => {
    expect(claimAtMs({ ...HERE, strategy: 'race', others: [1] })).toBe(10_000);
  });
  it('a node of the number 0 never claims', () => {
    expect(claimAtMs({ ...HERE, strategy: 'race', priority: 0 })).toBeNull();
  });
});

describe('with the strategy priority', () => {
  it('a node claims at once when nobody has a lower number', () => {
    expect(claimAtMs({ ...HERE, others: [2, 3, 100] })).toBe(10_000);
  });
  it('a node leaves a window to each lower number, however many nodes have it', () => {
    expect(claimAtMs({ ...HERE, priority: 7, others: [1, 1, 5] })).toBe(11_200);
  });
  it('a node waits for nobody who never leads', () => {
    expect(claimAtMs({ ...HERE, others: [0, 0] })).toBe(10_000);
  });
  it('a newcomer waits a window first, since it does not know the others yet', () => {
    const newcomer = { ...HERE, registeredAtMs: 9_900 };
    expect(claimAtMs(newcomer)).toBe(10_500);
    expect(claimAtMs({ ...newcomer, others: [1] })).toBe(11_100);
  });
  it('the lower of two that start within a window is always earlier', () => {
    for (let laterMs = 0; laterMs < 600; laterMs += 1) {
      const second = { ...HERE, registeredAtMs: 10_000, others: [1] };
      const first = { ...second, priority: 1, others: [2], registeredAtMs: 10_000 + laterMs };
      expect(Number(claimAtMs(first))).toBeLessThan(Number(claimAtMs(second)));
    }
  });
  it('a node of the number 0 never claims', () => {
    expect(claimAtMs({ ...HERE, priority: 0 })).toBeNull();
  });
});

it('a tick is as long as it is set to, give or take a fifth', () => {
  expect([0, 0.5, 1].map((random) => tickDelayMs(500, random))).toEqual([400, 500, 600]);
});

it('a node whose starts fail holds off twice as long each time, up to half a minute', () => {
  const failures = [1, 2, 3, 30, 4_000];
  expect(failures.map((count) => holdOffMs(count, 500))).toEqual([
    1_500, 3_000, 6_000, 30_000, 30_000,
  ]);
});
