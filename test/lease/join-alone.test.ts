// How a node registers as the only one of its id, on a clock of the test's own.
import { describe, expect, it } from 'vitest';
import { FailoverError } from '../../src/errors.ts';
import { joinAlone } from '../../src/lease/join-alone.ts';
import type { JoinReply, Rival, SoleNode } from '../../src/lease/join-alone.ts';
import { longestWatchMs } from '../../src/lease/sole-node.ts';

const TIMES = { quietMs: 2_000, signPauseMs: 1_000 };
const NOBODY = Symbol('nobody');
const NO_ANSWER = Symbol('no answer');

type Seen = Rival | null | typeof NOBODY | typeof NO_ANSWER;

interface Played {
  /** What it asked to be replaced, each time. */
  readonly asked: (string | null)[];
  readonly facts: string[];
  readonly waitedMs: () => number;
  readonly joined: Promise<string>;
}

/** @param rivalAt who has the id then, and did not go with `instead` */
function play(
  rivalAt: (ms: number, instead: string | null) => Seen,
  sole: Partial<SoleNode> = {},
  hasBegun = false,
): Played {
  let at = 50_000;
  const since = at;
  const asked: (string | null)[] = [];
  const facts: string[] = [];
  const joined = joinAlone<string>({
    join: ({ instead }): Promise<JoinReply<string>> => {
      asked.push(instead);
      const by = rivalAt(at - since, instead);
      if (by === NO_ANSWER) {
        return Promise.reject(new FailoverError('FAILOVER_STORE_UNREACHABLE', 'Cannot reach it'));
      }
      if (by !== NOBODY) return Promise.resolve({ type: 'taken', by });
      return Promise.resolve({ type: 'joined', joined: 'start' });
    },
    sole: {
      ...{ isGiven: true, quietMs: TIMES.quietMs },
      ...{ lookAt: () => 'unknown', onTaken: () => undefined },
      onWait: (fact) => {
        facts.push(fact);
        return null;
      },
      ...sole,
    },
    ...{ node: 'a', group: 'web', now: () => at, signPauseMs: TIMES.signPauseMs },
    ...{ hasBegun, requestTimeoutMs: 500 },
    pause: (ms, signal) => {
      at += ms;
      return signal?.aborted === true ? Promise.reject(new Error('off')) : Promise.resolve();
    },
  });
  return { asked, facts, joined, waitedMs: () => at - since };
}

function rival(seenAgoMs: number, others: Partial<Rival> = {}): Rival {
  const startedAt = '2026-01-02T03:04:05.000Z';
  return { run: 'r1', host: 'h', startedAt, supervisor: null, quietMs: null, seenAgoMs, ...others };
}

it('asks once, and waits for nothing, where nobody has the id', async () => {
  const { joined, asked, facts, waitedMs } = play(() => NOBODY);
  expect(await joined).toBe('start');
  expect([asked, facts, waitedMs()]).toEqual([[null], [], 0]);
});

it('replaces at once one whose process is gone', async () => {
  const old = rival(100);
  const { joined, asked, waitedMs } = play((_, instead) => (instead === 'r1' ? NOBODY : old), {
    lookAt: () => 'gone',
  });
  expect(await joined).toBe('start');
  expect([asked, waitedMs()]).toEqual([[null, 'r1'], 0]);
});

it('says once what it waits for, and replaces one that leaves no sign', async () => {
  const { joined, asked, facts, waitedMs } = play((ms, instead) =>
    instead === 'r1' ? NOBODY : rival(100 + ms),
  );
  expect(await joined).toBe('start');
  expect(asked.at(-1)).toBe('r1');
  expect(asked.slice(0, -1).every((instead) => instead === null)).toBe(true);
  expect(waitedMs()).toBe(longestWatchMs({ quietMs: null }, TIMES));
  expect(facts).toEqual([
    'a node on h is on record in group web as a since 2026-01-02T03:04:05.000Z: ' +
      'waiting up to 4s to see whether it lives',
  ]);
});

it('waits by what the other says of itself where that may be quiet for longer', async () => {
  const { joined, facts, waitedMs } = play((ms, instead) =>
    instead === 'r1' ? NOBODY : rival(100 + ms, { quietMs: 20_000 }),
  );
  expect(await joined).toBe('start');
  expect(waitedMs()).toBe(22_000);
  expect(facts).toEqual([expect.stringContaining('waiting up to 22s to see whether it lives')]);
});

it('joins as soon as the other leaves', async () => {
  const { joined, asked } = play((ms) => (ms >= 700 ? NOBODY : rival(100 + ms)));
  expect(await joined).toBe('start');
  expect(asked.every((instead) => instead === null)).toBe(true);
});

it('is refused by one that goes on to leave signs, with its process and since when', async () => {
  const supervisor = { pid: 7, startTime: '1', bootId: 'b', pidNamespace: 'n' };
  const { joined } = play((ms) => rival(ms % 500, { supervisor }));
  await expect(joined).rejects.toMatchObject({
    ...{ code: 'FAILOVER_NODE_TAKEN', exitCode: 4 },
    message:
      'Cannot take part in group web as a: process 7 on h has that id since 2026-01-02T03:04:05.000Z',
    hint: 'Choose another id with --node, or stop the node that has this one.',
  });
});

it('is refused by one that has registered meanwhile, also by the one that was to go', async () => {
  const { joined: byNew } = play((ms) => rival(0, ms < 500 ? {} : { run: 'r2' }));
  await expect(byNew).rejects.toMatchObject({ code: 'FAILOVER_NODE_TAKEN' });
  const { joined: bySame, asked } = play(() => rival(0), { lookAt: () => 'gone' });
  await expect(bySame).rejects.toMatchObject({ code: 'FAILOVER_NODE_TAKEN' });
  expect(asked).toEqual([null, 'r1']);
});

it('looks again where it does not see who has the id, and not for ever', async () => {
  const { joined: seen } = play((ms) => (ms === 0 ? null : NOBODY));
  expect(await seen).toBe('start');
  const { joined: unseen, asked } = play(() => null);
  await expect(unseen).rejects.toThrow('another process is registering that id');
  expect(asked).toHaveLength(4);
});

it('shows nothing of a record that may be no name or no time', async () => {
  const { joined } = play(() => rival(0, { host: null, startedAt: null }), {
    lookAt: () => 'alive',
  });
  await expect(joined).rejects.toThrow('as a: a node on another machine has that id');
});

it('ends its wait when it is told to', async () => {
  const off = AbortSignal.abort();
  const { joined, asked } = play((ms) => rival(ms), { onWait: () => off });
  await expect(joined).rejects.toThrow('off');
  expect(asked).toHaveLength(1);
});

describe('where the store gives no answer', () => {
  it('asks again, says so once, and goes by the answer that comes', async () => {
    const { joined, facts } = play((ms) => (ms < 600 ? NO_ANSWER : NOBODY));
    expect(await joined).toBe('start');
    expect(facts).toEqual([
      'the lease store of group web does not answer: ' +
        'waiting up to 3s to see whether another node has the id a',
    ]);
  });

  it('finds out that a made-up id is taken before the node takes part', async () => {
    const { joined } = play((ms) => (ms === 0 ? NO_ANSWER : rival(0)), { isGiven: false });
    await expect(joined).rejects.toMatchObject({
      code: 'FAILOVER_NODE_TAKEN',
      message:
        'Cannot take part in group web as a, an id that it made up: ' +
        'a node on h has that id since 2026-01-02T03:04:05.000Z',
      hint: 'Start this node again: it makes up another id. Or give it one with --node.',
    });
  });

  it('goes on to watch the other after an answer that did not come', async () => {
    const { joined, waitedMs, facts } = play((ms, instead) => {
      if (ms % 1_000 === 500) return NO_ANSWER;
      return instead === 'r1' ? NOBODY : rival(100 + ms);
    });
    expect(await joined).toBe('start');
    expect(waitedMs()).toBe(longestWatchMs({ quietMs: null }, TIMES));
    expect(facts).toHaveLength(2);
  });

  it('gives up when there is none for long, from the beginning or from one on', async () => {
    const { joined: never, waitedMs } = play(() => NO_ANSWER);
    await expect(never).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
    expect(waitedMs()).toBe(3_000);
    const { joined: noMore, asked } = play((ms) => (ms === 0 ? rival(0) : NO_ANSWER));
    await expect(noMore).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
    expect(asked).toHaveLength(13);
  });

  it('waits for no first one where the node takes part already', async () => {
    const { joined, asked, facts } = play(() => NO_ANSWER, {}, true);
    await expect(joined).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
    expect([asked, facts]).toEqual([[null], []]);
  });

  it('ends its wait when it is told to', async () => {
    const { joined, asked } = play(() => NO_ANSWER, { onWait: () => AbortSignal.abort() });
    await expect(joined).rejects.toThrow('off');
    expect(asked).toHaveLength(1);
  });
});
