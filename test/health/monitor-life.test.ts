// A monitor's checks that take long, its start and its end.
import { describe, expect, it } from 'vitest';
import { HealthMonitor } from '../../src/health/monitor.ts';
import type { HealthCheck } from '../../src/health/monitor-options.ts';
import { failureOf } from '../support/failover-error.ts';
import { until } from '../support/until.ts';
import { checkOf, heldCheck, idsOf, NEVER_MS, targets, watch } from './support/monitors.ts';

describe('a check that takes long', () => {
  it('is a failure when its time is over, also when it heeds no signal', async () => {
    const check = (): Promise<boolean> => new Promise(() => undefined);
    const { monitor, told } = watch({ targets: targets('a'), fall: 1, timeoutMs: 20, check });
    await monitor.forceCheck();
    expect(told).toEqual(['']);
    expect(monitor.status()[0]?.result).toMatchObject({ reason: 'timed-out' });
  });

  it('is not begun again for that target before it has ended', async () => {
    let begun = 0;
    const check = (): Promise<boolean> => {
      begun += 1;
      return new Promise(() => undefined);
    };
    const { monitor, told } = watch({ targets: targets('a'), fall: 2, timeoutMs: 20, check });
    await monitor.forceCheck();
    await monitor.forceCheck();
    expect(told).toEqual(['']);
    expect(begun).toBe(1);
  });

  it('keeps nobody else from being checked, nor those not reached yet from being healthy', async () => {
    const asked: string[] = [];
    const check: HealthCheck = ({ id }) => {
      asked.push(id);
      return id === 'a' ? new Promise(() => undefined) : Promise.resolve(true);
    };
    const { monitor, told } = watch({
      ...{ targets: targets('a', 'b', 'c'), fall: 1, timeoutMs: 20, concurrency: 1, check },
    });
    await monitor.forceCheck();
    expect(asked).toEqual(['a', 'b', 'c']);
    expect(told).toEqual(['b c']);
  });

  it('is one of so many at once as are allowed', async () => {
    const { check, underWay, most, finish } = heldCheck();
    const ids = Array.from({ length: 20 }, (_, index) => String(index));
    const { monitor } = watch({ targets: targets(...ids), concurrency: 5, check });
    const round = monitor.forceCheck();
    const rest = { isOver: false };
    void round.then(() => (rest.isOver = true));
    while (!rest.isOver) {
      finish(true);
      await until('more checks', () => rest.isOver || underWay().length > 0);
    }
    expect(most()).toBe(5);
  });
});

describe('a monitor that is started and stopped', () => {
  it('may be, twice and again', async () => {
    const asked: string[] = [];
    const { monitor } = watch({ targets: targets('a'), check: checkOf(new Set(), asked) });
    monitor.start();
    await monitor.forceCheck();
    expect(asked).toEqual(['a']);
    await Promise.all([monitor.stop(), monitor.stop()]);
    await monitor.stop();
    expect(monitor.isRunning).toBe(false);
    monitor.start();
    await monitor.forceCheck();
    expect(asked).toEqual(['a', 'a']);
  });

  it('counts nothing of a round that it has called off, also not what was found before', async () => {
    const { check, underWay, finish } = heldCheck();
    const { monitor, told } = watch({ targets: targets('a', 'b'), fall: 1, concurrency: 1, check });
    await until('the first check', () => underWay().includes('a'));
    finish(false);
    await until('the second check', () => underWay().includes('b'));
    await monitor.stop();
    expect(told).toEqual([]);
    expect(idsOf(monitor.healthy())).toBe('a b');
    expect(monitor.status().map(({ result }) => result)).toEqual([null, null]);
  });

  it('stops also while a check heeds no signal', async () => {
    let begun = 0;
    const check = (): Promise<boolean> => {
      begun += 1;
      return new Promise(() => undefined);
    };
    const { monitor } = watch({ targets: targets('a'), timeoutMs: NEVER_MS, check });
    await until('the check', () => begun === 1);
    await monitor.stop();
  });

  it('stops with the signal it was given, for good', async () => {
    const controller = new AbortController();
    const asked: string[] = [];
    const { signal } = controller;
    const check = checkOf(new Set(), asked);
    const { monitor } = watch({ targets: targets('a'), signal, check });
    await monitor.forceCheck();
    controller.abort();
    expect(monitor.isRunning).toBe(false);
    monitor.start();
    await monitor.forceCheck();
    expect(asked).toEqual(['a']);
  });

  it('stops at the end of the block that owns it', async () => {
    const monitor = new HealthMonitor({ targets: targets('a'), check: checkOf(new Set()) });
    monitor.start();
    await monitor[Symbol.asyncDispose]();
    expect(monitor.isRunning).toBe(false);
  });

  it.each([
    ['intervalMs', 0],
    ['intervalMs', -1],
    ['intervalMs', NaN],
    ['timeoutMs', 0],
    ['concurrency', 0],
    ['concurrency', 2.5],
  ])('refuses %s of %d', (name, value) => {
    const error = failureOf(() => new HealthMonitor({ [name]: value }));
    expect(error.code).toBe('FAILOVER_BAD_OPTION');
    expect(error.message).toMatch(new RegExp(`^Cannot use ${name}: ${String(value)} is not a `));
  });
});
