// The client of etcd is installed only where it is used: what is said where it is missing, and of its errors.
import { expect, it } from 'vitest';
import { parseLease } from '../../../src/config/lease-url.ts';
import type { EtcdAddress } from '../../../src/config/lease-url.ts';
import { connectionsTo } from '../../../src/lease/etcd/etcd-client.ts';
import { EtcdFailure, refusalOf } from '../../../src/lease/etcd/etcd-errors.ts';

it('a missing client is named with the command that installs it', async () => {
  const missing = Object.assign(new Error("Cannot find package 'etcd3'"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  const opening = connectionsTo(address('etcd://h'), () => Promise.reject(missing));
  await expect(opening).rejects.toMatchObject({
    code: 'FAILOVER_CLIENT_MISSING',
    exitCode: 2,
    hint: 'Install it alongside failover with `npm install etcd3@1` (add -g if failover is installed globally).',
  });
});

it('a file that can not be read is named', async () => {
  await expect(connectionsTo(address('etcds://h?ca=/nowhere/ca.pem'))).rejects.toMatchObject({
    code: 'FAILOVER_BAD_OPTION',
    message: 'Cannot use --lease: the file /nowhere/ca.pem cannot be read (ENOENT)',
  });
});

it.each([
  [
    '3 INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password',
    'authentication failed',
  ],
  ['3 INVALID_ARGUMENT: etcdserver: user name is empty', 'it requires a user'],
  ['7 PERMISSION_DENIED: etcdserver: permission denied', 'lacks the required permissions'],
  ['rpc error: code = PermissionDenied desc = etcdserver: permission denied', 'lacks the required'],
  ['rpc error: code = InvalidArgument desc = etcdserver: user name is empty', 'it requires a user'],
  [
    '9 FAILED_PRECONDITION: etcdserver: authentication is not enabled',
    'authentication is disabled',
  ],
  ['12 UNIMPLEMENTED: unknown service', 'unknown service'],
])('what the server refuses for good is told so: %s', (text, said) => {
  const refusal = refusalOf('etcd://h:1', new EtcdFailure(new Error(text)));
  expect(refusal).toMatchObject({ code: 'FAILOVER_STORE_REFUSED' });
  expect(refusal?.message).toContain(said);
});

it.each([
  ['14 UNAVAILABLE: etcdserver: no leader', 'no leader', true],
  ['16 UNAUTHENTICATED: etcdserver: invalid auth token', 'invalid auth token', true],
  ['8 RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded', 'mvcc: database', false],
  [
    '14 UNAVAILABLE: No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ',
    'connect ECONNREFUSED 127.0.0.1:1',
    true,
  ],
  ['Lease 5 NOT_FOUND: etcdserver: requested lease not found is expired', 'requested lease', false],
])('what may pass is no refusal: %s', (text, said, ends) => {
  const failure = new EtcdFailure(new Error(text));
  expect(refusalOf('etcd://h:1', failure)).toBeNull();
  expect(failure.message.startsWith(said)).toBe(true);
  expect(failure.endsConnection).toBe(ends);
});

function address(url: string): EtcdAddress {
  const parsed = parseLease(url);
  if (parsed.kind !== 'etcd') throw new Error('not of etcd');
  return parsed;
}
