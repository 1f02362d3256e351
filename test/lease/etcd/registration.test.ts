// How a node registers in etcd where that gives no answer for a while.
import { expect, it, vi } from 'vitest';
import { FailoverError } from '../../../src/errors.ts';
import type { EtcdConnection } from '../../../src/lease/etcd/etcd-connection.ts';
import { EventLog } from '../../../src/lease/etcd/event-log.ts';
import { keysOf } from '../../../src/lease/etcd/keys.ts';
import { Registration } from '../../../src/lease/etcd/registration.ts';
import type { Ask } from '../../../src/lease/etcd/requests.ts';
import { ownRecord } from '../support/fixtures.ts';

it('registers with a look after a store was not there when it began', async () => {
  const { registration, store } = silentStore();
  await registration.begin(0);
  expect(registration.start).toBe(Infinity);
  store.isSilent = false;
  registration.signSoon(0, 1_000);
  await vi.waitFor(() => {
    expect(registration.start).toBe(7);
  });
});

it('is registered by no look of one that never began', () => {
  const { registration, store } = silentStore();
  store.isSilent = false;
  registration.signSoon(0, 1_000);
  expect(store.asked).toBe(0);
});

it('leaves a sign that becomes due during a look to the next one', async () => {
  const { registration, store } = silentStore();
  store.isSilent = false;
  await registration.begin(0);
  const { asked } = store;
  // Registered at 1 s, and silent for 5 s after that.
  registration.signSoon(0, 5_999);
  expect(store.asked).toBe(asked);
  registration.signSoon(0, 6_000);
  expect(store.asked).toBe(asked + 1);
});

function silentStore(): {
  readonly registration: Registration;
  readonly store: { isSilent: boolean; asked: number };
} {
  const store = { isSilent: true, asked: 0 };
  const ask: Ask = (act) => {
    store.asked += 1;
    if (!store.isSilent) return act(ANSWERING);
    return Promise.reject(new FailoverError('FAILOVER_STORE_UNREACHABLE', 'Cannot reach it'));
  };
  const keys = keysOf('web');
  const registration = new Registration({
    ...{ ask, keys, events: new EventLog(ask, keys, 'a') },
    ...{ record: ownRecord('a'), group: 'web', requestTimeoutMs: 500, sole: null },
    ...{ now: () => 1_000, lookFirst: () => ask((connection) => connection.range({})) },
  });
  return { registration, store };
}

const RESPONSE = { header: { revision: '7' }, succeeded: true, responses: [], kvs: [] };
const answer = (): Promise<typeof RESPONSE> => Promise.resolve(RESPONSE);

// Of a connection no more than that is asked for here.
const ANSWERING = {
  grant: answer,
  txn: answer,
  range: answer,
  keepAlive: answer,
} as unknown as EtcdConnection;
