// How a node registers as the only one of its id, on a clock of the test's own.
import { expect, it } from 'vitest';
import { joinAlone } from '../../src/lease/join-alone.ts';
import type { JoinReply, Rival, SoleNode } from '../../src/lease/join-alone.ts';
import { longestWatchMs } from '../../src/lease/sole-node.ts';

const TIMES = { quietMs: 2_000, signPauseMs: 1_000 };
const NOBODY = Symbol('nobody');

type Seen = Rival | null | typeof NOBODY;

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
): Played {
  let at = 50_000;
  const since = at;
  const asked: (string | null)[] = [];
  const facts: string[] = [];
  const joined = joinAlone<string>({
    join: ({ instead }): Promise<JoinReply<string>> => {
      asked.push(instead);
      const by = rivalAt(at - since, instead);
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
    hint: 'Give this node another id with --node, or stop the one that has it.',
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
