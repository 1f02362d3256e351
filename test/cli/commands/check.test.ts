// What a check says where nobody leads.
import { expect, it } from 'vitest';
import { noPrimary } from '../../../src/cli/commands/check.ts';
import { answering, snapshotOf, statusOf } from '../support/snapshot.ts';

const b = answering(statusOf('b'));

it('names the group in its advice', () => {
  expect(noPrimary(snapshotOf(null, [b]))).toMatchObject({
    message: 'Cannot find a primary in group web',
    hint: expect.stringContaining('`failover resume --group web`') as string,
  });
});

it('says where no node is alive how one is started, in the directory that was looked at', () => {
  expect(noPrimary(snapshotOf(null, []))).toMatchObject({
    message: 'Cannot find a primary in group web: no node is running',
    hint: 'Start one with `failover run --group web --state-dir /state -- COMMAND`.',
  });
});
