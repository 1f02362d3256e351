// What a client sees that takes no part.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { peekGroup } from '../../../src/lease/file/peek.ts';
import { failureOf } from '../../support/failover-error.ts';
import { granted, openLease, temporaryDirectory } from '../support/fixtures.ts';

it('finds nothing where there is no directory, and makes none', () => {
  const stateDir = temporaryDirectory();
  expect(peekGroup(stateDir, 'web')).toBeNull();
  expect(readdirSync(stateDir)).toEqual([]);
});

it('refuses a file that has the name of the group', () => {
  const stateDir = temporaryDirectory();
  writeFileSync(join(stateDir, 'web'), '');
  const failure = failureOf(() => peekGroup(stateDir, 'web'));
  expect(failure.code).toBe('FAILOVER_STATE_DIR_NOT_A_DIRECTORY');
});

it('sees the nodes and the holder', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  openLease(stateDir, 'b');
  await granted(a.acquire(0));
  const peek = peekGroup(stateDir, 'web');
  expect(peek?.observation).toMatchObject({ held: true, epoch: 1, holder: { node: 'a' } });
  expect(peek?.nodes.map(({ node, alive }) => [node, alive]).sort()).toEqual([
    ['a', true],
    ['b', true],
  ]);
});
