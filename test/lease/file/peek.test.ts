// What a client sees that takes no part.
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { peekGroup } from '../../../src/lease/file/peek.ts';
import { granted, openLease, temporaryDirectory } from '../support/fixtures.ts';

it('finds nothing where there is no directory, and makes none', () => {
  const stateDir = temporaryDirectory();
  expect(peekGroup(stateDir, 'web')).toBeNull();
  expect(readdirSync(stateDir)).toEqual([]);
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
