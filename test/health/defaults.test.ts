// What holds where a program says nothing else, as the manual has it.
import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HttpChecker } from '../../src/health/http-checker.ts';
import { monitorTermsOf } from '../../src/health/monitor-options.ts';
import { checkAddress } from '../../src/health/single-checks.ts';
import { StateTracker } from '../../src/health/tracker.ts';
import { until } from '../support/until.ts';
import { checkOf, targets, watch } from './support/monitors.ts';
import { closedPort, httpServer } from './support/servers.ts';

describe('a monitor', () => {
  it('checks ten at a time, for 5 s each, every 15 s', () => {
    expect(monitorTermsOf({})).toMatchObject({
      ...{ intervalMs: 15_000, timeoutMs: 5_000, concurrency: 10 },
    });
  });

  it('goes by three failures and two successes', async () => {
    expect(new StateTracker().thresholds).toEqual({ fall: 3, rise: 2 });
    const failing = new Set(['a']);
    const { monitor, told } = watch({ targets: targets('a'), check: checkOf(failing) });
    const toldAfter = async (): Promise<number> => {
      await monitor.forceCheck();
      return told.length;
    };
    const failures = [await toldAfter(), await toldAfter(), await toldAfter()];
    failing.clear();
    const successes = [await toldAfter(), await toldAfter()];
    expect([...failures, ...successes]).toEqual([0, 0, 1, 1, 2]);
  });
});

describe('a check over HTTP', () => {
  it.each([
    ['of a checker', (url: string) => new HttpChecker().check(url)],
    ['by itself', (url: string) => checkAddress(url)],
  ])('%s may take 5 s', async (_, check) => {
    virtualTime();
    let isAsked = false;
    const port = await httpServer(() => {
      isAsked = true;
    });
    let hasEnded = false;
    const checked = check(`http://127.0.0.1:${String(port)}/`).finally(() => {
      hasEnded = true;
    });
    await until('the server to be asked', () => isAsked);
    await vi.advanceTimersByTimeAsync(4_999);
    // What has ended meanwhile is heard of after the timers and what came over the network.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(hasEnded).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await checked).toMatchObject({ healthy: false, reason: 'timed-out' });
  });

  it('is made five times more, after 500 ms, twice as long each time, up to 8 s', async () => {
    virtualTime();
    const longest = vi.spyOn(Math, 'random').mockReturnValue(0);
    onTestFinished(() => {
      longest.mockRestore();
    });
    const url = `http://127.0.0.1:${String(await closedPort())}/`;
    const pausesMs = async (checker: HttpChecker): Promise<readonly number[]> => {
      const told: number[] = [];
      await checker.checkWithRetry(url, {
        onRetry: ({ delayMs }) => {
          told.push(delayMs);
          // The pause begins right after it was told of.
          queueMicrotask(() => vi.advanceTimersByTime(delayMs));
        },
      });
      return told;
    };
    const pauses = [500, 1_000, 2_000, 4_000, 8_000];
    expect(await pausesMs(new HttpChecker())).toEqual(pauses);
    expect(await pausesMs(new HttpChecker({ retries: 7 }))).toEqual([...pauses, 8_000, 8_000]);
  });

  it('is one of ten at a time', async () => {
    const waiting: ServerResponse[] = [];
    let most = 0;
    const port = await httpServer((_, response) => {
      most = Math.max(most, waiting.push(response));
      // Once all are here that may be, and whoever came with them.
      if (waiting.length === 10) setImmediate(() => waiting.splice(0).map((one) => one.end()));
    });
    const urls = Array<string>(40).fill(`http://127.0.0.1:${String(port)}/`);
    const results = await new HttpChecker({ timeoutMs: 60_000 }).checkAll(urls);
    expect(results.filter(({ healthy }) => healthy)).toHaveLength(40);
    expect(most).toBe(10);
  });
});

/** Time goes on only where the test says so; the network goes on. */
function virtualTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}
