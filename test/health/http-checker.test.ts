// Checks over HTTP that are made again after a failure, and many at once.
import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HttpChecker } from '../../src/health/http-checker.ts';
import { backoffMs } from '../../src/health/retry.ts';
import type { RetryNotice } from '../../src/health/retry.ts';
import { failureOf } from '../support/failover-error.ts';
import { closedPort, httpServer } from './support/servers.ts';

/** A server that answers with these statuses, the last one for ever, and counts. */
async function answering(
  ...statuses: readonly number[]
): Promise<{ readonly url: string; readonly asked: () => number }> {
  let asked = 0;
  const port = await httpServer((_, response) => {
    response.writeHead(statuses[Math.min(asked, statuses.length - 1)] ?? 500).end();
    asked += 1;
  });
  return { url: `http://127.0.0.1:${String(port)}/`, asked: () => asked };
}

describe('a check', () => {
  it('finds a server on an address of IPv6', async ({ skip }) => {
    const port = await httpServer((_, response) => response.end(), '::1').catch(() => null);
    if (port === null) return skip('no IPv6 here');
    expect((await new HttpChecker().check({ host: '::1', port })).healthy).toBe(true);
  });

  it('says why it did not pass', async () => {
    const checker = new HttpChecker({ timeoutMs: 1_000 });
    const { url } = await answering(503);
    expect(await checker.check(url)).toMatchObject({ error: 'it answered 503' });
    const address = { host: '127.0.0.1', port: await closedPort() };
    expect(await checker.check(address)).toMatchObject({ reason: 'refused' });
  });

  it('rejects only what is no address over HTTP', async () => {
    const checker = new HttpChecker();
    await expect(checker.check('tcp://a:80')).rejects.toThrow('is not an HTTP address');
    await expect(checker.checkWithRetry('a')).rejects.toThrow('has no known form');
  });
});

describe('a check with retries', () => {
  const soon = { backoffMinMs: 1, backoffMaxMs: 4 };

  it('is made once where it passes at once', async () => {
    const { url, asked } = await answering(200);
    const result = await new HttpChecker(soon).checkWithRetry(url);
    expect(result).toMatchObject({ healthy: true, attempts: 1 });
    expect(asked()).toBe(1);
  });

  it('is made until it passes, and tells of each failure', async () => {
    const { url, asked } = await answering(503, 503, 200);
    const notices: RetryNotice[] = [];
    const result = await new HttpChecker(soon).checkWithRetry(url, {
      onRetry: (notice) => notices.push(notice),
    });
    expect(result).toMatchObject({ healthy: true, attempts: 3 });
    expect(asked()).toBe(3);
    expect(notices.map(({ attempt, error }) => `${String(attempt)}: ${error}`)).toEqual([
      '1: it answered 503',
      '2: it answered 503',
    ]);
  });

  it('ends with the last failure after as many as are allowed', async () => {
    const { url, asked } = await answering(503);
    const result = await new HttpChecker({ ...soon, retries: 2 }).checkWithRetry(url);
    expect(result).toMatchObject({ healthy: false, reason: 'status', attempts: 3 });
    expect(asked()).toBe(3);
  });

  it('is made once where no retry is allowed', async () => {
    const { url, asked } = await answering(503);
    await new HttpChecker({ ...soon, retries: 0 }).checkWithRetry(url);
    expect(asked()).toBe(1);
  });

  it('ends at a deadline within a pause, and says so', async () => {
    const { url, asked } = await answering(503);
    const checker = new HttpChecker({ backoffMinMs: 60_000, backoffMaxMs: 60_000 });
    // The deadline is to pass in the pause: it is set when that begins.
    const deadline = new AbortController();
    const result = await checker.checkWithRetry(url, {
      signal: deadline.signal,
      onRetry: () => {
        AbortSignal.timeout(50).addEventListener('abort', ({ target }) => {
          // It listens to a signal.
          deadline.abort((target as AbortSignal).reason);
        });
      },
    });
    expect(result).toMatchObject({
      ...{ healthy: false, reason: 'timed-out', attempts: 1 },
      error: 'its deadline has passed; before that it answered 503',
    });
    expect(asked()).toBe(1);
  });

  it('ends when it is called off within a pause', async () => {
    const { url } = await answering(503);
    const controller = new AbortController();
    const checker = new HttpChecker({ backoffMinMs: 60_000, backoffMaxMs: 60_000 });
    const onRetry = (): void => {
      controller.abort();
    };
    const result = await checker.checkWithRetry(url, { signal: controller.signal, onRetry });
    expect(result).toMatchObject({ reason: 'cancelled', attempts: 1 });
  });

  it.each([
    [1, 500],
    [2, 1_000],
    [5, 8_000],
    [6, 8_000],
    [1_000, 8_000],
  ])('pauses after failure %i at most %i ms, and at least three quarters of it', (attempt, ms) => {
    const terms = { retries: 5, backoffMinMs: 500, backoffMaxMs: 8_000 };
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (chance) => {
        const delayMs = backoffMs(attempt, terms, chance);
        return delayMs <= ms && delayMs >= ms * 0.75;
      }),
    );
    expect(backoffMs(attempt, terms, 0)).toBe(ms);
  });
});

describe('many checks', () => {
  it('give their results in the order asked, whichever is answered first', async () => {
    let release: () => void = () => undefined;
    const slow = await httpServer((_, response) => {
      release = () => response.end();
    });
    const fast = await httpServer((_, response) => {
      response.writeHead(503).end();
      release();
    });
    const checker = new HttpChecker();
    const urls = [slow, fast, fast].map((port) => `http://127.0.0.1:${String(port)}/`);
    const results = await checker.checkAll(urls);
    expect(results.map(({ healthy }) => healthy)).toEqual([true, false, false]);
  });

  it('are none where nothing is asked', async () => {
    expect(await new HttpChecker().checkAll([])).toEqual([]);
  });

  it('are never more at once than are allowed', async () => {
    const waiting: ServerResponse[] = [];
    let most = 0;
    const port = await httpServer((_, response) => {
      most = Math.max(most, waiting.push(response));
      // Once all are here that may be, and whoever came with them.
      if (waiting.length === 5) setImmediate(() => waiting.splice(0).map((one) => one.end()));
    });
    const urls = Array<string>(20).fill(`http://127.0.0.1:${String(port)}/`);
    const results = await new HttpChecker({ concurrency: 5 }).checkAll(urls);
    expect(results.filter(({ healthy }) => healthy)).toHaveLength(20);
    expect(most).toBe(5);
  });

  it('that were not reached before they were called off are no failures', async () => {
    const controller = new AbortController();
    let asked = 0;
    const port = await httpServer(() => {
      asked += 1;
      controller.abort();
    });
    const urls = Array<string>(3).fill(`http://127.0.0.1:${String(port)}/`);
    const { signal } = controller;
    const results = await new HttpChecker({ concurrency: 1 }).checkAll(urls, { signal });
    expect(results.map((result) => !result.healthy && result.reason)).toEqual(
      Array(3).fill('cancelled'),
    );
    expect(asked).toBe(1);
  });
});

it('tells those that a deadline found under way from those that it found not begun', async () => {
  const deadline = new AbortController();
  const port = await httpServer(() => {
    deadline.abort(new DOMException('it took too long', 'TimeoutError'));
  });
  const urls = Array<string>(3).fill(`http://127.0.0.1:${String(port)}/`);
  const { signal } = deadline;
  const results = await new HttpChecker({ concurrency: 1 }).checkAll(urls, { signal });
  expect(results).toMatchObject([
    { reason: 'timed-out' },
    { reason: 'cancelled', error: 'the check was cancelled', latencyMs: 0 },
    { reason: 'cancelled' },
  ]);
});

it('that are many and pause at once cause no warning of a leak', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => {
    warnings.push(warning);
  };
  process.on('warning', note);
  onTestFinished(() => {
    process.off('warning', note);
  });
  const { url } = await answering(503);
  let pausing = 0;
  const onRetry = (): void => {
    pausing += 1;
  };
  const checker = new HttpChecker({ retries: 1, backoffMinMs: 200, backoffMaxMs: 200 });
  const checks = Array.from({ length: 12 }, () => checker.checkWithRetry(url, { onRetry }));
  await Promise.all(checks);
  expect([pausing, warnings]).toEqual([12, []]);
});

describe('a checker', () => {
  it.each([
    ['retries', { retries: -1 }],
    ['retries', { retries: 1.5 }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: Infinity }],
    ['concurrency', { concurrency: 0 }],
    ['backoffMinMs', { backoffMinMs: NaN }],
  ])('refuses %s of %j', (name, options) => {
    const error = failureOf(() => new HttpChecker(options));
    expect(error.code).toBe('FAILOVER_BAD_OPTION');
    expect(error.message).toMatch(new RegExp(`^Cannot use ${name}: \\S+ is not a `));
  });

  it('refuses a first pause that is longer than the longest', () => {
    const error = failureOf(() => new HttpChecker({ backoffMinMs: 9_000 }));
    expect(error.message).toBe(
      'Cannot check again: backoffMinMs 9s is longer than backoffMaxMs 8s',
    );
  });
});
