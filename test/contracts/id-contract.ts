// What every store has to do where no two nodes may have one id, whatever the server.
import { describe, expect, it } from 'vitest';
import type { FailoverError } from '../../src/errors.ts';
import type { SoleNode } from '../../src/lease/join-alone.ts';
import type { ProcessIdentity } from '../../src/lease/lease-store.ts';
import type { RemoteStore } from '../../src/lease/remote-store.ts';
import { ANSWER_MS, eventually } from './support/claims.ts';
import { groupName, LONG_TTL_MS } from './support/stage.ts';
import type { OpenOptions } from './support/stage.ts';

/** One that leaves no sign for so long, and the pause of the store between two, is gone. */
const QUIET_MS = 400;

/** @param openIn registers a node; closes what it has opened when a test ends */
export function idContract(openIn: (options: OpenOptions) => Promise<RemoteStore>): void {
  const open = (group: string, sole: Partial<SoleNode> = {}, pid = 2): Promise<RemoteStore> =>
    openIn({ node: 'a', group, sole: { ...SOLE, ...sole }, supervisor: processOf(pid), ...TIMES });

  describe('an id', () => {
    it('is that of one of several that register under it at once', async () => {
      const group = groupName();
      const opening = Array.from({ length: 5 }, () => open(group, { lookAt: () => 'alive' }));
      const ends = await Promise.allSettled(opening);
      const refused = ends.filter(({ status }) => status === 'rejected');
      expect(refused).toHaveLength(4);
      expect(refused).toEqual(Array(4).fill(expect.objectContaining({ reason: TAKEN })));
      const [only] = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
      expect(await only?.listNodes()).toHaveLength(1);
    });

    it('of one that goes on to leave signs of life is refused to another', async () => {
      const group = groupName();
      const first = await open(group);
      const facts: string[] = [];
      const onWait = (fact: string): null => {
        facts.push(fact);
        return null;
      };
      const opening = open(group, { onWait }).then(
        () => null,
        (error: unknown) => error,
      );
      expect(await whileLooking(first, opening)).toMatchObject({
        ...{ code: 'FAILOVER_NODE_TAKEN', exitCode: 4 },
        message: `Cannot take part in group ${group} as a: process 2 on here has that id since ${SINCE}`,
      });
      expect(facts).toEqual([
        expect.stringContaining(`process 2 on here is on record in group ${group} as a since`),
      ]);
    });

    it('of one that leaves no more signs is given to another, and the first is told if it goes on', async () => {
      const group = groupName();
      const told: FailoverError[] = [];
      const first = await open(group, {
        onTaken: (error) => {
          told.push(error);
        },
      });
      await first.look();
      const second = await open(group);
      expect(await second.listNodes()).toHaveLength(1);
      const isTold = eventually(async () => {
        await first.look();
        return told.length > 0;
      });
      await whileLooking(second, isTold);
      expect(told[0]).toMatchObject({ code: 'FAILOVER_NODE_TAKEN' });
      expect(await first.acquire(0)).toMatchObject({ type: 'denied', cause: 'lost-race' });
      expect(await second.listNodes()).toHaveLength(1);
    });

    it('is waited for as long as its node says that it may leave the store alone', async () => {
      const group = groupName();
      await openIn({ node: 'a', group, quietMs: 40_000, sole: SOLE, ...TIMES });
      const facts: string[] = [];
      const onWait = (fact: string): AbortSignal => {
        facts.push(fact);
        return AbortSignal.abort();
      };
      await expect(open(group, { onWait })).rejects.toMatchObject({ name: 'AbortError' });
      expect(facts).toEqual([
        expect.stringMatching(/: waiting up to 4\ds to see whether it lives$/),
      ]);
    });

    it('is given at once to another where its process is known to be gone', async () => {
      const group = groupName();
      await open(group);
      const next = await open(group, {
        lookAt: () => 'gone',
        onWait: () => {
          throw new Error('it waits');
        },
      });
      expect(await next.listNodes()).toHaveLength(1);
    });

    it('is given once to several that find its process gone at the same time', async () => {
      const group = groupName();
      await open(group, {}, 1);
      const lookAt: SoleNode['lookAt'] = (process) => (process?.pid === 1 ? 'gone' : 'alive');
      const opening = Array.from({ length: 3 }, () => open(group, { lookAt }));
      const ends = await Promise.allSettled(opening);
      const refused = ends.filter(({ status }) => status === 'rejected');
      expect(refused).toEqual(Array(2).fill(expect.objectContaining({ reason: TAKEN })));
    });

    it('is free once its node has left, and is kept by one that registers again', async () => {
      const group = groupName();
      const first = await open(group);
      await first.close();
      const next = await open(group, { lookAt: () => 'alive' });
      const endpoints = { bus: 'ipc:///elsewhere.bus', rpc: 'ipc:///elsewhere.rpc' };
      next.updateEndpoints(endpoints);
      await eventually(async () => {
        const [node, ...more] = await next.listNodes();
        return more.length === 0 && node?.endpoints.rpc === endpoints.rpc;
      });
      await expect(open(group, { lookAt: () => 'alive' })).rejects.toMatchObject(IS_TAKEN);
    });

    it('is not waited for any longer once that is called off', async () => {
      const group = groupName();
      await open(group);
      const off = new AbortController();
      const onWait = (): AbortSignal => {
        off.abort();
        return off.signal;
      };
      const opening = open(group, { onWait });
      await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
    });
  });
}

const IS_TAKEN = { code: 'FAILOVER_NODE_TAKEN' } as const;
const TAKEN: unknown = expect.objectContaining(IS_TAKEN);

const TIMES = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS };

function processOf(pid: number): ProcessIdentity {
  return { pid, startTime: '1', bootId: 'another', pidNamespace: '1' };
}

/** Of all records. */
const SINCE = '1970-01-01T00:00:00.000Z';

const SOLE: SoleNode = {
  isGiven: true,
  quietMs: QUIET_MS,
  lookAt: () => 'unknown',
  onWait: () => null,
  onTaken: () => undefined,
};

/** A node that lives looks all the time: those are its signs of life. */
async function whileLooking<T>(store: RemoteStore, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const looking = (async () => {
    while (!done.signal.aborted) {
      await store.look();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  try {
    return await work;
  } finally {
    done.abort();
    await looking;
  }
}
