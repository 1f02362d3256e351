// A list of targets that is checked again and again: what is told, and what counts.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CheckResult } from '../../src/health/check-result.ts';
import type { HealthTarget } from '../../src/health/health-target.ts';
import { HealthMonitor } from '../../src/health/monitor.ts';
import type { HealthCheck } from '../../src/health/monitor-options.ts';
import { checkAddress } from '../../src/health/single-checks.ts';
import { failureOf } from '../support/failover-error.ts';
import { uncaught } from '../support/uncaught.ts';
import { until } from '../support/until.ts';
import { checkOf, heldCheck, targets, watch } from './support/monitors.ts';
import { closedPort, httpServer, tcpServer } from './support/servers.ts';

describe('a monitor', () => {
  it('tells once that none is healthy, and once that one is again', async () => {
    const failing = new Set(['a']);
    const { monitor, told } = watch({
      ...{ targets: targets('a'), fall: 2, rise: 2, check: checkOf(failing) },
    });
    await monitor.forceCheck();
    expect(told).toEqual([]);
    await monitor.forceCheck();
    expect(told).toEqual(['']);
    await monitor.forceCheck();
    failing.clear();
    await monitor.forceCheck();
    expect(told).toEqual(['']);
    await monitor.forceCheck();
    expect(told).toEqual(['', 'a']);
  });

  it('tells once a round, with all that are healthy in the order given', async () => {
    const failing = new Set(['a', 'c']);
    const { monitor, told } = watch({
      ...{ targets: targets('d', 'c', 'b', 'a'), fall: 1, rise: 1, check: checkOf(failing) },
    });
    await monitor.forceCheck();
    expect(told).toEqual(['d b']);
    expect(monitor.counts()).toEqual({ total: 4, healthy: 2, unhealthy: 2 });
    failing.clear();
    failing.add('d');
    await monitor.forceCheck();
    expect(told).toEqual(['d b', 'c b a']);
  });

  it('checks at once and then at intervals, by itself', async () => {
    const asked: string[] = [];
    watch({ targets: targets('a'), intervalMs: 10, check: checkOf(new Set(), asked) });
    await until('three rounds', () => asked.length >= 3);
  });

  it('does not keep in step with others', async () => {
    const timeouts = vi.spyOn(globalThis, 'setTimeout');
    onTestFinished(() => {
      timeouts.mockRestore();
    });
    for (let n = 0; n < 20; n += 1) await watch({ intervalMs: 100_000 }).monitor.forceCheck();
    const pauses = timeouts.mock.calls
      .map(([, delayMs]) => delayMs ?? 0)
      .filter((delayMs) => delayMs > 50_000);
    expect(pauses.length).toBeGreaterThanOrEqual(20);
    expect(new Set(pauses.map((delayMs) => Math.round(delayMs / 100))).size).toBeGreaterThan(5);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(80_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(110_000);
  });

  it('tells nothing without targets', async () => {
    const { monitor, told } = watch({});
    await monitor.forceCheck();
    monitor.setTargets([]);
    await monitor.stop();
    expect(told).toEqual([]);
  });

  it('has its own checks for addresses over HTTP and for ports', async () => {
    const port = await httpServer((_, response) => response.writeHead(204).end());
    const open = await tcpServer((socket) => socket.end());
    const closed = await closedPort();
    const at = (id: string, address: HealthTarget['address']): HealthTarget => ({ id, address });
    const { monitor, told } = watch({
      fall: 1,
      targets: [
        at('http', { host: '127.0.0.1', port, path: '/health' }),
        at('tcp', `tcp://127.0.0.1:${String(open)}`),
        at('closed', `http://127.0.0.1:${String(closed)}/`),
      ],
    });
    await monitor.forceCheck();
    expect(told).toEqual(['http tcp']);
    const [, , last] = monitor.status();
    expect(last).toMatchObject({ healthy: false, result: { reason: 'refused' } });
  });

  it('gives the results of a round to who wants them', async () => {
    const results: [string, CheckResult][] = [];
    const check = (): Promise<boolean> => Promise.reject(new Error('no database'));
    const onCheck = ({ id }: HealthTarget, result: CheckResult): void => {
      results.push([id, result]);
    };
    const { monitor } = watch({ targets: targets('a'), check, onCheck });
    expect(monitor.status()).toEqual([{ target: targets('a')[0], healthy: true, result: null }]);
    await monitor.forceCheck();
    expect(results).toMatchObject([['a', { healthy: false, error: 'no database' }]]);
    expect(monitor.status()[0]?.result).toBe(results[0]?.[1]);
  });

  it('takes nothing from a check that says it was called off', async () => {
    const check: HealthCheck = ({ address }) =>
      checkAddress(address, { signal: AbortSignal.abort() });
    const { monitor, told } = watch({
      targets: [{ id: 'a', address: 'tcp://a:1' }],
      fall: 1,
      check,
    });
    await monitor.forceCheck();
    expect(told).toEqual([]);
    expect(monitor.status()[0]?.result).toBe(null);
  });

  it('goes on when what it calls throws, and the error is not lost', async () => {
    const thrown = uncaught();
    const failing = new Set(['a']);
    let told = 0;
    const onChange = (): void => {
      told += 1;
      throw new Error('of the program');
    };
    const { monitor } = watch({
      ...{ targets: targets('a'), fall: 1, rise: 1, check: checkOf(failing), onChange },
    });
    await monitor.forceCheck();
    failing.clear();
    await monitor.forceCheck();
    await until('both errors', () => thrown.length === 2);
    expect(told).toBe(2);
    expect(monitor.isHealthy('a')).toBe(true);
  });
});

describe('a forced check', () => {
  it('never overlaps a round: each target is checked and counted once in each', async () => {
    const { check, underWay, most, finish } = heldCheck();
    const { monitor, told } = watch({ targets: targets('a'), fall: 2, check });
    await until('the first round', () => underWay().length === 1);
    const forced = Promise.all([monitor.forceCheck(), monitor.forceCheck()]);
    finish(false);
    await until('the next round', () => underWay().length === 1);
    expect(told).toEqual([]);
    finish(false);
    await forced;
    expect(told).toEqual(['']);
    expect(most()).toBe(1);
  });

  it('does nothing when the monitor does not run', async () => {
    const asked: string[] = [];
    const monitor = new HealthMonitor({ targets: targets('a'), check: checkOf(new Set(), asked) });
    await monitor.forceCheck();
    expect(asked).toEqual([]);
  });
});

describe('a list that changes', () => {
  it('is told when one is added, removed or none is left, and not when only an address is another', async () => {
    const { monitor, told } = watch({ targets: targets('a'), check: checkOf(new Set()) });
    expect(monitor.setTargets(targets('a', 'b'))).toBe(true);
    expect(monitor.setTargets([{ id: 'a', address: 'elsewhere' }, ...targets('b')])).toBe(false);
    expect(monitor.setTargets(targets('b'))).toBe(true);
    expect(monitor.setTargets([])).toBe(true);
    expect(told).toEqual(['a b', 'b', '']);
    expect(monitor.healthy()).toEqual([]);
    await monitor.forceCheck();
    expect(told).toHaveLength(3);
  });

  it('is checked as it is from the next round on', async () => {
    const asked: string[] = [];
    const { monitor } = watch({ targets: targets('a'), check: checkOf(new Set(), asked) });
    await monitor.forceCheck();
    monitor.setTargets(targets('b'));
    asked.length = 0;
    await monitor.forceCheck();
    expect(asked).toEqual(['b']);
  });

  it('takes nothing from a check that has begun at another address, or of one that is gone', async () => {
    const { check, underWay, finish } = heldCheck();
    const { monitor, told } = watch({ targets: targets('a', 'b', 'c'), fall: 1, check });
    await until('the round', () => underWay().length === 3);
    const next = monitor.forceCheck();
    monitor.setTargets([{ id: 'a', address: 'elsewhere' }, ...targets('b')]);
    finish(false);
    await until('the next round', () => underWay().length === 2);
    expect(told).toEqual(['a b', 'a']);
    finish(true);
    await next;
  });

  it('stays as it was when it is refused', () => {
    const monitor = new HealthMonitor({ targets: [{ id: 'a', address: 'tcp://a:1' }] });
    const bad = [{ id: 'b', address: 'b' }];
    expect(failureOf(() => monitor.setTargets(bad)).code).toBe('FAILOVER_BAD_OPTION');
    expect(failureOf(() => monitor.setTargets([...bad, ...bad])).code).toBe('FAILOVER_BAD_OPTION');
    expect(monitor.isHealthy('a')).toBe(true);
    expect(failureOf(() => new HealthMonitor({ targets: bad })).code).toBe('FAILOVER_BAD_OPTION');
  });
});
