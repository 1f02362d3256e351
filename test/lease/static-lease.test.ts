// The lease that one node has and no other ever.
import { expect, it } from 'vitest';
import { FailoverError } from '../../src/errors.ts';
import type { LeaseStore } from '../../src/lease/lease-store.ts';
import { StaticLease } from '../../src/lease/static-lease.ts';
import { openLease, temporaryDirectory } from './support/fixtures.ts';

it('is granted to that node, under a higher epoch each time', async () => {
  const lease = leaseOf('a', { of: 'a' });
  expect(await lease.acquire(6)).toMatchObject({ type: 'granted', epoch: 7, granted: null });
  expect(lease.verify()).toEqual({ type: 'held' });
  await lease.release();
  expect(await lease.acquire(0)).toMatchObject({ type: 'granted', epoch: 8 });
  expect(lease.guards).toContain('static');
  await lease.close();
});

it('is refused to any other, also while nobody has it', async () => {
  const lease = leaseOf('b', { of: 'a' });
  const failure: unknown = await lease.acquire(0).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(FailoverError);
  expect(failure).toMatchObject({
    code: 'FAILOVER_REFUSED',
    message: 'Cannot acquire the lease of group web for b: only a leads',
  });
  expect(lease.observe()).toMatchObject({ epoch: 0, held: false });
  await lease.close();
});

function leaseOf(node: string, { of: leader }: { readonly of: string }): LeaseStore {
  const files = openLease(temporaryDirectory(), node);
  return new StaticLease(leader, { node, group: 'web' }, files);
}
