// A lease with a token, and a server that is gone, or was not there for a moment.
import { expect, it, vi } from 'vitest';
import { FailoverError } from '../../src/errors.ts';
import { ChangeWatch } from '../../src/lease/change-watch.ts';
import type { SoleNode } from '../../src/lease/join-alone.ts';
import type { RenewalReply, TokenDriver } from '../../src/lease/token-driver.ts';
import { TokenLease } from '../../src/lease/token-lease.ts';
import { ownRecord } from './support/fixtures.ts';

const TTL_MS = 3_000;
const REQUEST_TIMEOUT_MS = 500;

it('is given back without the server once it has ended by itself, and not before', async () => {
  const { lease, pass } = await held();
  pass(TTL_MS + REQUEST_TIMEOUT_MS - 1);
  await expect(lease.release()).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
  pass(1);
  expect(await lease.release()).toEqual({ heldBy: null });
});

it('has not ended before a renewal that nobody heard the answer of could have', async () => {
  const { lease, pass } = await held();
  pass(1_000);
  await expect(lease.renew(REQUEST_TIMEOUT_MS)).rejects.toThrow();
  pass(TTL_MS);
  await expect(lease.release()).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
  pass(REQUEST_TIMEOUT_MS);
  expect(await lease.release()).toEqual({ heldBy: null });
});

it('begins under no made-up id that is taken, though one request was not answered', async () => {
  const lease = tokenLease({
    driver: { ...grantingOnce(), join: joinAnswering(null, 'taken') },
    sole: { ...SOLE, isGiven: false },
  });
  await expect(lease.begin()).rejects.toMatchObject({ code: 'FAILOVER_NODE_TAKEN' });
});

it('begins without a server that gives no answer', async () => {
  let at = 1_000;
  const onWait = (): null => {
    at += 60_000;
    return null;
  };
  const lease = tokenLease({
    driver: { ...grantingOnce(), join: joinAnswering(null, null, null, 'joined') },
    sole: { ...SOLE, onWait },
    now: () => at,
  });
  await lease.begin();
  await expect(lease.acquire(0)).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
  expect(await lease.acquire(0)).toMatchObject({ type: 'granted' });
});

it('is nobody’s when it is given back before the claim of it is answered', async () => {
  let grant: (() => void) | null = null;
  const giveBacks: (() => void)[] = [];
  const driver: TokenDriver = {
    ...grantingOnce(),
    claim: async (asker, what) => {
      await new Promise<void>((resolve) => (grant = resolve));
      return grantingOnce().claim(asker, what);
    },
    release: async () => {
      await new Promise<void>((resolve) => giveBacks.push(resolve));
    },
  };
  const lease = tokenLease({ driver });
  const claim = lease.acquire(0);
  const granted = await vi.waitUntil(() => grant);
  const release = lease.release();
  granted();
  expect(await claim).toMatchObject({ type: 'denied' });
  expect([lease.verify().type, lease.returnOrder()]).toEqual(['lost', null]);
  for (const giveBack of giveBacks) giveBack();
  await release;
  expect(lease.verify().type).toBe('lost');
});

it('is not claimed at all when it is given back before that', async () => {
  let claims = 0;
  const granting = grantingOnce();
  const driver: TokenDriver = {
    ...granting,
    claim: (asker, what) => {
      claims += 1;
      return granting.claim(asker, what);
    },
    release: () => Promise.resolve(),
  };
  const lease = tokenLease({ driver });
  const outcome = lease.acquire(0);
  await lease.release();
  expect(await outcome).toMatchObject({ type: 'denied' });
  expect(claims).toBe(0);
});

/** By a node whose server answers nothing after that. */
async function held(): Promise<{
  readonly lease: TokenLease;
  readonly pass: (ms: number) => void;
}> {
  let at = 1_000;
  const lease = tokenLease({ now: () => at });
  expect(await lease.acquire(0)).toMatchObject({ type: 'granted', epoch: 1 });
  const pass = (ms: number): void => {
    at += ms;
  };
  return { lease, pass };
}

function tokenLease({
  driver = grantingOnce(),
  ...options
}: {
  readonly driver?: TokenDriver;
  readonly sole?: SoleNode;
  readonly now?: () => number;
}): TokenLease {
  const times = { ttlMs: TTL_MS, requestTimeoutMs: REQUEST_TIMEOUT_MS, now: () => 1_000 };
  return new TokenLease({
    ...{ kind: 'etcd', driver, watch: new ChangeWatch() },
    options: { group: 'web', record: ownRecord('a'), ...times, ...options },
  });
}

const SOLE: SoleNode = {
  ...{ isGiven: true, quietMs: 2_000, lookAt: () => 'unknown' },
  ...{ onWait: () => null, onTaken: () => undefined },
};

/** Each of them once, and the last from then on; null: no answer. */
function joinAnswering(...answers: readonly ('taken' | 'joined' | null)[]): TokenDriver['join'] {
  let asked = 0;
  return () => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (answer === 'joined') return Promise.resolve({ type: 'joined', joined: '1' });
    if (answer !== 'taken') return gone();
    const by = { run: 'r1', host: 'h', startedAt: null, supervisor: null };
    return Promise.resolve({ type: 'taken', by: { ...by, quietMs: null, seenAgoMs: 0 } });
  };
}

function gone(): Promise<never> {
  return Promise.reject(new FailoverError('FAILOVER_STORE_UNREACHABLE', 'Cannot reach it'));
}

function grantingOnce(): TokenDriver {
  const observation = {
    ...{ epoch: 1, held: true, holder: null, recordUnreadable: false },
    ...{ touch: null, paused: false },
  };
  const view = { observation, leftMs: null, isKnown: true };
  return {
    signPauseMs: 0,
    join: () => Promise.resolve({ type: 'joined', joined: '1' }),
    claim: () => Promise.resolve({ type: 'granted', view, epoch: 1, previous: null }),
    renew: (): Promise<RenewalReply> => gone(),
    advance: gone,
    release: gone,
    returnOrder: () => {
      throw new Error('nobody asks for it');
    },
    look: gone,
    leave: gone,
    complete: gone,
    pause: gone,
    listNodes: gone,
    readEvents: gone,
    close: () => undefined,
  };
}
