// A lease with a token, and a server that is gone.
import { expect, it } from 'vitest';
import { FailoverError } from '../../src/errors.ts';
import { ChangeWatch } from '../../src/lease/change-watch.ts';
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

/** By a node whose server answers nothing after that. */
async function held(): Promise<{
  readonly lease: TokenLease;
  readonly pass: (ms: number) => void;
}> {
  let at = 1_000;
  const lease = new TokenLease({
    kind: 'etcd',
    driver: grantingOnce(),
    watch: new ChangeWatch(),
    options: {
      group: 'web',
      record: ownRecord('a'),
      ttlMs: TTL_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      now: () => at,
    },
  });
  expect(await lease.acquire(0)).toMatchObject({ type: 'granted', epoch: 1 });
  const pass = (ms: number): void => {
    at += ms;
  };
  return { lease, pass };
}

function grantingOnce(): TokenDriver {
  const gone = (): Promise<never> =>
    Promise.reject(new FailoverError('FAILOVER_STORE_UNREACHABLE', 'Cannot reach it'));
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
