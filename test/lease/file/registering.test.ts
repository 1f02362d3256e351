// The turns of nodes that register at the same time.
import { expect, it } from 'vitest';
import type { GroupPaths } from '../../../src/lease/file/group-paths.ts';
import { groupPaths } from '../../../src/lease/file/group-paths.ts';
import { inTurn } from '../../../src/lease/file/registering.ts';
import type { NodeRecord } from '../../../src/lease/lease-store.ts';
import { failureOf } from '../../support/failover-error.ts';
import { ownRecord, temporaryDirectory } from '../support/fixtures.ts';

it('keep a second node of the same id out, and no other', () => {
  const paths = groupPaths(temporaryDirectory());
  const seen = inTurn(paths, recordOf('a'), {
    waitMs: 0,
    register: () => [failureOf(() => turn(paths, 'a')), turn(paths, 'b')],
  });
  expect(seen).toMatchObject([{ code: 'FAILOVER_NODE_TAKEN', exitCode: 4 }, 'b registered']);
  expect(turn(paths, 'a')).toBe('a registered');
});

it('are over when registering fails', () => {
  const paths = groupPaths(temporaryDirectory());
  const register = (): never => {
    throw new Error('no room');
  };
  expect(() => inTurn(paths, recordOf('a'), { waitMs: 0, register })).toThrow('no room');
  expect(turn(paths, 'a')).toBe('a registered');
});

function turn(paths: GroupPaths, node: string): string {
  return inTurn(paths, recordOf(node), { waitMs: 0, register: () => `${node} registered` });
}

function recordOf(node: string): NodeRecord {
  return { v: 1, ...ownRecord(node), sessions: [] };
}
