// What a watch tells is added to what was seen of a group, and what was seen already is not told again.
import type * as etcd from 'etcd3';
import { expect, it } from 'vitest';
import { keysOf } from '../../../src/lease/etcd/keys.ts';
import { leadAfter, readLead, stateText } from '../../../src/lease/etcd/lead.ts';

const keys = keysOf('g');
const STATE = { epoch: 4, cluster: '7', node: 'a', holder: null, ttlMs: 3_000 };

function entry(key: Buffer, revision: number, { value = '', lease = '0' } = {}): etcd.IKeyValue {
  const at = String(revision);
  const times = { create_revision: at, mod_revision: at, version: '1' };
  return { key, value: Buffer.from(value), lease, ...times };
}

function told(type: 'Put' | 'Delete', kv: etcd.IKeyValue): etcd.IEvent {
  return { type, kv, prev_kv: kv }; // its type is an enum of the client, told as its name
}

const held = readLead(keys, {
  header: { cluster_id: '7', member_id: '1', revision: '10', raft_term: '1' },
  kvs: [entry(keys.state, 9, { value: stateText(STATE) }), entry(keys.lease, 10, { lease: '5' })],
});

it('is free once its key is gone, and another’s once it is there again', () => {
  const free = leadAfter(keys, held, [told('Delete', entry(keys.lease, 11))]);
  expect(free).toEqual({ ...held, leaseId: null });
  const value = stateText({ ...STATE, epoch: 5 });
  const next = leadAfter(keys, held, [
    told('Delete', entry(keys.lease, 11)),
    told('Put', entry(keys.lease, 12, { lease: '6' })),
    told('Put', entry(keys.state, 12, { value })),
  ]);
  expect(next).toMatchObject({ leaseId: '6', stateRevision: '12', state: { epoch: 5 } });
});

it('does not go back to what was told late', () => {
  expect(leadAfter(keys, held, [told('Delete', entry(keys.lease, 8))])).toEqual(held);
});

it('is not known where another version has written', () => {
  const strange = told('Put', entry(keys.state, 11, { value: '{"v":2}' }));
  expect(leadAfter(keys, held, [strange])).toBeNull();
});
