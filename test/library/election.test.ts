// An election under virtual time, with a lease that does as it is told: what the real server shows less well.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Election } from '../../src/library/election.ts';
import { runElection } from '../../src/library/run-election.ts';
import type { ElectionChange } from '../../src/library/election.ts';
import type { Clock } from '../../src/runtime/ports.ts';
import { recordOf } from '../contracts/support/stage.ts';
import { FakeLease } from './support/fake-lease.ts';

const clock: Clock = {
  now: () => performance.now(),
  wakeAt: (atMs, callback) => {
    const timer = setTimeout(callback, Math.max(0, atMs - performance.now()));
    return () => {
      clearTimeout(timer);
    };
  },
};

let lease: FakeLease;
let warnings: string[];
let changes: ElectionChange[];

beforeEach(() => {
  vi.useFakeTimers();
  lease = new FakeLease();
  warnings = [];
  changes = [];
});

afterEach(() => {
  vi.useRealTimers();
});

type Callbacks = Pick<Parameters<typeof runElection>[0], 'onStart' | 'onStop'>;

function elect({ onStart, onStop = () => undefined }: Callbacks): Election {
  const election = new Election({
    lease,
    terms: {
      ...{ leaseTtlMs: 3_000, leaseTickMs: 500, leaseMaxDriftMs: 1_500 },
      record: recordOf('a'),
    },
    ...{ strategy: 'race', stopBudgetMs: 1_000, onStart, onStop, clock },
    random: Math.random,
  });
  election.on('warning', (warning) => warnings.push(warning));
  election.on('change', (change) => changes.push(change));
  return election;
}

const leads = (election: Election): Promise<void> =>
  vi.waitUntil(() => election.isLeader).then(() => undefined);

describe('an election', () => {
  it('renews each 400 to 600 ms, and not always after the same time', async () => {
    const election = elect({ onStart: () => undefined });
    await leads(election);
    await vi.advanceTimersByTimeAsync(60_000);
    const gaps = lease.renewals.slice(1).map((at, index) => at - (lease.renewals[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(90);
    // A timer waits for whole milliseconds.
    expect(gaps.every((gap) => gap >= 400 && gap <= 601)).toBe(true);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(100);
    await over(election.close());
  });

  it('goes on leading when the start callback returns', async () => {
    const election = elect({ onStart: () => undefined });
    await leads(election);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(election.isLeader).toBe(true);
    expect(lease.calls).toEqual(['acquire']);
    await over(election.close());
  });

  it('steps down at once when the start callback fails, and leaves the lease to others first', async () => {
    const starts: number[] = [];
    const election = elect({
      onStart: () => {
        starts.push(performance.now());
        throw new Error('no disk');
      },
    });
    await vi.advanceTimersByTimeAsync(100);
    expect(lease.calls).toEqual(['acquire', 'release']);
    expect(warnings).toEqual(['onStart failed: no disk']);
    await vi.advanceTimersByTimeAsync(10_000);
    const gaps = starts.slice(1).map((at, index) => Math.round(at - (starts[index] ?? 0)));
    expect(gaps.map((gap) => [1_500, 3_000, 6_000].find((least) => gap < least + 601))).toEqual([
      1_500, 3_000,
    ]);
    await over(election.close());
  });

  it('gives the lease back only when the start callback has returned, and the stop callback after it', async () => {
    const said: string[] = [];
    const election = elect({
      onStart: async (signal) => {
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
        said.push('stopping');
        await new Promise((resolve) => setTimeout(resolve, 300));
        said.push('start returned');
      },
      onStop: () => {
        said.push(`stop at ${lease.calls.join()}`);
      },
    });
    await leads(election);
    lease.lose('cut off');
    expect(election.role).toBe('stepping-down');
    await vi.advanceTimersByTimeAsync(350);
    expect(said).toEqual(['stopping', 'start returned', 'stop at acquire']);
    expect(lease.calls.slice(0, 2)).toEqual(['acquire', 'release']);
    await over(election.close());
  });

  it('goes on renewing for a start callback that heeds no signal, and says so', async () => {
    let release: () => void = () => undefined;
    const election = elect({
      onStart: () => new Promise<void>((resolve) => (release = resolve)),
    });
    await leads(election);
    lease.lose('cut off');
    const before = lease.renewals.length;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(lease.renewals.length).toBeGreaterThan(before + 30);
    expect(lease.calls).toEqual(['acquire']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('the lease is kept until it returns');
    release();
    await vi.advanceTimersByTimeAsync(10);
    expect(lease.calls.slice(0, 2)).toEqual(['acquire', 'release']);
    await over(election.close());
  });

  it('says that two may lead when the lease ends under a start callback that heeds no signal', async () => {
    const election = elect({ onStart: () => new Promise<void>(() => undefined) });
    await leads(election);
    lease.answer = () => Promise.reject(new Error('it does not answer'));
    lease.lose('cut off');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(
      warnings.some((warning) => warning.includes('another node may lead at the same time')),
    ).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    const told = warnings.filter((warning) =>
      warning.includes('another node may lead at the same time'),
    );
    expect(told).toEqual([
      'the lease of epoch 1 has ended but onStart is still running: another node may lead at the same time, ' +
        'and only the epoch protects what it writes',
    ]);
    expect(await over(election.close())).toBe(false);
  });

  it('leaves a stop callback behind that takes longer than its budget, and starts nothing beside it', async () => {
    let release: () => void = () => undefined;
    const aborted: boolean[] = [];
    const election = elect({
      onStart: () => undefined,
      onStop: (signal) => {
        signal.addEventListener('abort', () => aborted.push(true));
        return new Promise<void>((resolve) => (release = resolve));
      },
    });
    await leads(election);
    lease.lose('cut off');
    await vi.advanceTimersByTimeAsync(990);
    expect(lease.calls).toEqual(['acquire']);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(lease.calls).toEqual(['acquire', 'release']);
    expect(aborted).toEqual([true]);
    expect(warnings.join()).toContain('onStop did not finish within 1s');
    release();
    await leads(election);
    expect(lease.epoch).toBe(2);
    const closing = election.close();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await closing).toBe(false);
  });

  it('catches what a stop callback throws', async () => {
    const election = elect({
      onStart: () => undefined,
      onStop: () => {
        throw new Error('oh no');
      },
    });
    await leads(election);
    expect(await over(election.close())).toBe(true);
    expect(warnings).toEqual(['onStop failed: oh no']);
    expect(lease.calls).toEqual(['acquire', 'release', 'close']);
  });

  it('is closed twice with the same result, and claims nothing any more', async () => {
    const election = elect({ onStart: () => undefined });
    await leads(election);
    const first = election.close();
    expect(election.close()).toBe(first);
    expect(await over(first)).toBe(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(lease.calls).toEqual(['acquire', 'release', 'close']);
    expect(election.role).toBe('closed');
    expect(changes.map(({ role }) => role)).toEqual(['leader', 'stepping-down', 'closed']);
  });

  it.each([
    [
      'its lease is lost',
      () => {
        lease.lose('cut off');
      },
    ],
    [
      'it is closed',
      (election: Election) => {
        void election.close();
      },
    ],
  ])('ends its term once when its program closes it as %s', async (_, end) => {
    const said: string[] = [];
    const results: Promise<boolean>[] = [];
    const election = elect({
      onStart: (signal) => {
        signal.addEventListener('abort', () => {
          said.push(`told as ${election.role}, leader: ${String(election.isLeader)}`);
          results.push(election.close(), election.close());
        });
      },
      onStop: async () => {
        said.push('stops');
        await new Promise((resolve) => setTimeout(resolve, 300));
        said.push(`has stopped, then ${lease.calls.join()}`);
      },
    });
    await leads(election);
    end(election);
    results.push(election.close());
    expect(new Set(results).size).toBe(1);
    expect(await over(election.close())).toBe(true);
    expect(said).toEqual([
      'told as stepping-down, leader: false',
      'stops',
      'has stopped, then acquire',
    ]);
    expect(lease.calls).toEqual(['acquire', 'release', 'close']);
    const told = changes.map(({ role }) => role);
    expect(told).toEqual(['leader', 'stepping-down', 'closed']);
  });

  it('gives the lease back later when the server was away, before it claims again', async () => {
    const election = elect({ onStart: () => undefined });
    await leads(election);
    lease.failures = 1;
    lease.lose('cut off');
    await leads(election);
    expect(lease.calls).toEqual(['acquire', 'release', 'release', 'acquire']);
    await over(election.close());
  });

  it('says a trouble once, until it is over', async () => {
    const election = elect({ onStart: () => undefined });
    await leads(election);
    lease.answer = () => Promise.reject(new Error('it does not answer'));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(warnings).toEqual(['it does not answer']);
    lease.answer = () => Promise.resolve(true);
    await vi.advanceTimersByTimeAsync(1_000);
    lease.answer = () => Promise.reject(new Error('it does not answer'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(warnings).toHaveLength(2);
    await over(election.close());
  });
});

describe('what is refused', () => {
  const given = { url: 'redis://127.0.0.1:1', project: 'p', onStart: () => undefined } as const;

  it('is a time to live below 100 ms', async () => {
    const refused = runElection({ ...given, ttlMs: 99 });
    await expect(refused).rejects.toMatchObject({ code: 'FAILOVER_BAD_OPTION' });
  });

  it('is an address that is none of Redis, and no message shows a password', async () => {
    const refused = await runElection({ ...given, url: 'http://me:hush@there' }).catch(String);
    expect(refused).toContain('url');
    expect(refused).not.toContain('hush');
    await expect(runElection({ ...given, url: 'file' })).rejects.toMatchObject({
      code: 'FAILOVER_BAD_OPTION',
    });
  });

  it('is a name that is none, a strategy or a budget that is none, and an aborted signal', async () => {
    const codes = [
      { ...given, project: '..' },
      { ...given, nodeId: 'a/b' },
      { ...given, strategy: JSON.parse('"fair"') as 'race' },
      { ...given, stopBudgetMs: -1 },
      { ...given, signal: AbortSignal.abort() },
      { ...given, maxDriftMs: 3_000 },
    ].map((options) => runElection(options).catch((error: unknown) => error));
    expect(await Promise.all(codes)).toMatchObject([
      { code: 'FAILOVER_BAD_GROUP' },
      { code: 'FAILOVER_BAD_NODE_ID' },
      { code: 'FAILOVER_BAD_OPTION' },
      { code: 'FAILOVER_BAD_OPTION' },
      { code: 'FAILOVER_REFUSED' },
      { code: 'FAILOVER_SETTINGS_CONFLICT' },
    ]);
  });
});

/** What a promise gives when time goes on. */
async function over<Value>(promise: Promise<Value>): Promise<Value> {
  await vi.advanceTimersByTimeAsync(5_000);
  return promise;
}
