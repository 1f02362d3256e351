// The clock of leases: it goes on while the machine is suspended, and is never set back.
import { expect, it } from 'vitest';
import { BootClock } from '../../src/runtime/boot-clock.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';

it('is the monotonic clock as long as the machine was never suspended', () => {
  // Within what the kernel rounds to.
  const clock = new BootClock(
    () => 100.01,
    () => 100_000,
  );
  expect(clock.now()).toBe(100_000);
});

it('counts the time for which the machine was suspended', () => {
  let uptime = 100;
  const clock = new BootClock(
    () => uptime,
    () => 100_000,
  );
  uptime = 3_700;
  expect(clock.now()).toBe(3_700_000);
});

it('goes on when the time of the suspension can not be read any more', () => {
  let uptime: number | null = 3_700;
  let monotonic = 100_000;
  const clock = new BootClock(
    () => uptime,
    () => monotonic,
  );
  expect(clock.now()).toBe(3_700_000);
  uptime = null;
  monotonic += 5_000;
  expect(clock.now()).toBe(3_705_000);
});

it('is never set back by what the kernel rounds to', () => {
  const uptimes = [500.02, 500.01, 500.01, 500.03];
  let monotonic = 100_000;
  const clock = new BootClock(
    () => uptimes.shift() ?? null,
    () => (monotonic += 1),
  );
  const seen = [clock.now(), clock.now(), clock.now(), clock.now()];
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

it('is the monotonic clock where the other can not be read, or belongs to a container', () => {
  for (const uptime of [null, 3]) {
    const clock = new BootClock(
      () => uptime,
      () => 100_000,
    );
    expect(clock.now()).toBe(100_000);
  }
});

it('wakes at a time of its own, and not before', async () => {
  const clock = new BootClock();
  const at = clock.now() + 20;
  await new Promise<void>((resolve) => {
    clock.wakeAt(at, resolve);
  });
  expect(clock.now()).toBeGreaterThanOrEqual(at - 1);
  expect(Math.abs(new BootClock(() => null).now() - monotonicNow())).toBeLessThan(1_000);
});
