// What a node does last, while whoever tidies up is stopped between its look and its removal.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { isAlive, ownIdentity } from '../../../src/fence/process-identity.ts';
import { Garbage } from '../../../src/lease/file/garbage.ts';
import type { GarbageRules } from '../../../src/lease/file/garbage.ts';
import type { GroupPaths } from '../../../src/lease/file/group-paths.ts';
import { listNodes } from '../../../src/lease/file/node-registry.ts';
import type { NodeRecord } from '../../../src/lease/lease-store.ts';
import { openLease, ownRecord, temporaryDirectory } from '../support/fixtures.ts';
import { startLeader } from '../support/session-leader.ts';

vi.mock(import('../../../src/fence/process-identity.ts'), async (original) => {
  const actual = await original();
  return { ...actual, isAlive: vi.fn(actual.isAlive) };
});

afterEach(() => {
  vi.mocked(isAlive).mockReset();
});

const rules = {
  starter: (): null => null,
  isGoneElsewhere: (): boolean => false,
  lookedAfter: new Set<string>(),
};

function collectGarbage(paths: GroupPaths, by: GarbageRules): number {
  return new Garbage(paths, () => performance.now()).collect(by);
}

/** A node that has started nothing so far; `lastDeed` comes between the look at its record and its end. */
function dyingNode(
  lastDeed: (record: NodeRecord, path: string) => void,
  changes: Partial<NodeRecord> = {},
): {
  readonly paths: ReturnType<typeof openLease>['paths'];
  readonly run: string;
} {
  const { paths } = openLease(temporaryDirectory(), 'a');
  const supervisor = { ...ownIdentity(), startTime: '1' };
  const record = { v: 1, ...ownRecord('b', { supervisor }), ...changes, sessions: [] } as const;
  const path = join(paths.nodes, `${record.run}.json`);
  writeFileSync(path, JSON.stringify(record));
  vi.mocked(isAlive).mockImplementation(({ startTime }) => {
    if (startTime !== supervisor.startTime) return true;
    lastDeed(record, path);
    return false;
  });
  return { paths, run: record.run };
}

it('keeps the record of a node that started something after it was looked at, and then died', () => {
  const leader = startLeader();
  const { paths, run } = dyingNode((record, path) => {
    const session = { kind: 'workload', active: true, keep: false, stopsWithSupervisor: true };
    const sessions = [{ process: leader, ...session }];
    writeFileSync(path, JSON.stringify({ ...record, sessions }));
  });
  expect(collectGarbage(paths, rules)).toBe(0);
  expect(listNodes(paths).map((node) => node.run)).toContain(run);
});

it('keeps the record of a node that was noted as the starter after it was looked at', () => {
  let starter: string | null = null;
  const { paths, run } = dyingNode((record) => {
    starter = record.run;
  });
  expect(collectGarbage(paths, { ...rules, starter: () => starter })).toBe(0);
  expect(listNodes(paths).map((node) => node.run)).toContain(run);
});

it('keeps the record of a hot node until what it left was looked after', () => {
  const { paths, run } = dyingNode(() => undefined, { standby: 'hot' });
  expect(collectGarbage(paths, rules)).toBe(0);
  expect(collectGarbage(paths, { ...rules, lookedAfter: new Set([run]) })).toBe(1);
});

it('removes that of a node that did neither', () => {
  const { paths } = dyingNode(() => undefined);
  expect(collectGarbage(paths, rules)).toBe(1);
});
