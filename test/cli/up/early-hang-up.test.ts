// A SIGHUP that comes before there is anything to reload.
import { expect, it } from 'vitest';
import { hearHangUp, takeHangUp } from '../../../src/cli/up/early-hang-up.ts';

it('is remembered until somebody takes it, and ends nothing', () => {
  const before = process.listenerCount('SIGHUP');
  hearHangUp();
  expect(process.listenerCount('SIGHUP')).toBe(before + 1);
  expect(takeHangUp()).toBe(false);
  hearHangUp();
  process.emit('SIGHUP');
  expect([takeHangUp(), takeHangUp()]).toEqual([true, false]);
  expect(process.listenerCount('SIGHUP')).toBe(before);
});
