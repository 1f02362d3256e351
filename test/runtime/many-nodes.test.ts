// What the nodes of a process share: journals wait for a takeover of any of them, but not for ever.
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Phase } from '../../src/core/state.ts';
import { ManyNodes } from '../../src/runtime/many-nodes.ts';

function stage(): { readonly many: ManyNodes; readonly pass: (ms: number) => void } {
  let now = 1_000;
  const many = new ManyNodes({ now: () => now });
  return {
    many,
    pass: (ms) => {
      now += ms;
    },
  };
}

it('is busy while any of them takes over', () => {
  const { many } = stage();
  const [a, b] = [{}, {}];
  many.entered(a, 'watching');
  expect(many.isBusy).toBe(false);
  many.entered(a, 'acquiring');
  many.entered(b, 'starting');
  many.entered(a, 'serving');
  expect(many.isBusy).toBe(true);
  many.entered(b, 'serving');
  expect(many.isBusy).toBe(false);
});

it('is not kept busy by one that takes its time, or that is gone', () => {
  const { many, pass } = stage();
  const [a, b] = [{}, {}];
  many.entered(a, 'starting');
  pass(1_999);
  expect(many.isBusy).toBe(true);
  pass(1);
  expect(many.isBusy).toBe(false);
  many.entered(b, 'fencing');
  expect(many.isBusy).toBe(true);
  many.left(b);
  many.left(a);
  expect(many.isBusy).toBe(false);
});

it('tells of a rush of nodes that were at rest, and of its end', () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const told: boolean[] = [];
  const many = new ManyNodes({ onRush: (isRush) => told.push(isRush) });
  const nodes = Array.from({ length: 32 }, () => ({}));
  const all = (phase: Phase): void => {
    for (const node of nodes) many.entered(node, phase);
  };
  all('acquiring');
  // They have only begun.
  expect(told).toEqual([]);
  all('watching');
  all('acquiring');
  expect(told).toEqual([true]);
  all('starting');
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([true]);
  all('serving');
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([true, false]);
  vi.advanceTimersByTime(10_000);
  all('demoting');
  expect(told).toEqual([true, false, true]);
});

it('takes a few that are busy for no rush', () => {
  const told: boolean[] = [];
  const many = new ManyNodes({ onRush: (isRush) => told.push(isRush) });
  for (const node of Array.from({ length: 31 }, () => ({}))) {
    many.entered(node, 'watching');
    many.entered(node, 'acquiring');
  }
  expect(told).toEqual([]);
});

it('lets a rush end though many stay busy, and takes them for no other one', () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  let now = 0;
  const told: boolean[] = [];
  const many = new ManyNodes({ now: () => now, onRush: (isRush) => told.push(isRush) });
  const nodes = Array.from({ length: 64 }, () => ({}));
  for (const node of nodes) many.entered(node, 'watching');
  for (now = 0; now <= 40_000; now += 1_000) {
    for (const node of nodes) many.entered(node, now % 2_000 === 0 ? 'acquiring' : 'starting');
    vi.advanceTimersByTime(1_000);
  }
  expect(told).toEqual([true, false]);
  for (const node of nodes) many.entered(node, 'serving');
  for (const node of nodes) many.entered(node, 'restarting');
  expect(told).toEqual([true, false, true]);
});
