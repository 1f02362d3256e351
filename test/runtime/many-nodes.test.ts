// What the nodes of a process share: journals wait for a takeover of any of them, but not for ever.
import { expect, it } from 'vitest';
import { ManyNodes } from '../../src/runtime/many-nodes.ts';

function stage(): { readonly many: ManyNodes; readonly pass: (ms: number) => void } {
  let now = 1_000;
  const many = new ManyNodes(() => now);
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
