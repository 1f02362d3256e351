// Nodes whose processes can't be seen from here: who is refused beside them, and what is waited for.
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { FileLease } from '../../../src/lease/file/file-lease.ts';
import { OutOfSight } from '../../../src/lease/file/out-of-sight.ts';
import { lockRecord } from '../../../src/lease/file/record-lock.ts';
import type { NodeRecord, SessionRecord } from '../../../src/lease/lease-store.ts';
import { failureOf } from '../../support/failover-error.ts';
import { openLease, ownRecord, temporaryDirectory } from '../support/fixtures.ts';

const here = ownRecord('x').supervisor;
const elsewhere = { ...here, pidNamespace: 'another' };
const session: SessionRecord = {
  process: elsewhere,
  kind: 'workload',
  active: true,
  keep: false,
  stopsWithSupervisor: true,
};

interface Other {
  readonly record: NodeRecord;
  /** What its death does. */
  readonly dies: () => void;
}

/** Puts the record of a living node of another namespace beside that of `lease`. */
function register(lease: FileLease, node: string, changes: Partial<NodeRecord> = {}): Other {
  const own = ownRecord(node, { supervisor: elsewhere });
  const record = { v: 1, ...own, sessions: [], ...changes } as const;
  const path = join(lease.paths.nodes, `${record.run}.json`);
  writeFileSync(path, JSON.stringify(record));
  const fd = openSync(path, 'r+');
  lockRecord(fd);
  let lives = true;
  const dies = (): void => {
    if (lives) closeSync(fd);
    lives = false;
  };
  onTestFinished(dies);
  return { record, dies };
}

function judgeOf(lease: FileLease, now: () => number, isEmpty = false): OutOfSight {
  return new OutOfSight({ paths: lease.paths, now, isNamespaceEmpty: () => isEmpty });
}

it('names the living nodes of another pid namespace, and no dead ones', () => {
  const lease = openLease(temporaryDirectory(), 'a');
  expect(lease.local.nodesOutOfSight()).toEqual([]);
  register(lease, 'here', { supervisor: here });
  register(lease, 'earlier', { supervisor: { ...elsewhere, bootId: 'another' } });
  register(lease, 'dead').dies();
  for (const node of ['c', 'b', 'b']) register(lease, node);
  expect(lease.local.nodesOutOfSight()).toEqual(['b', 'c']);
});

it('refuses to start beside one that lives, and not once it has died', () => {
  const stateDir = temporaryDirectory();
  const other = register(openLease(stateDir, 'a'), 'far', { host: 'box' });
  const { code, message } = failureOf(() => openLease(stateDir, 'b'));
  expect(code).toBe('FAILOVER_OTHER_NAMESPACE');
  expect(message).toMatch(
    /^Cannot start node b: node far of group web \(pid \d+ there, host box\)/,
  );
  other.dies();
  expect(openLease(stateDir, 'b').local.nodesOutOfSight()).toEqual([]);
});

it('leaves nothing behind when the other one is found only after it has registered', () => {
  const stateDir = temporaryDirectory();
  const lease = openLease(stateDir, 'a');
  const nodes = (): string[] => lease.local.listNodes().map(({ node }) => node);
  // Read when its record is written, between its two looks.
  const endpoints = {
    rpc: '',
    get bus(): string {
      if (!nodes().includes('far')) register(lease, 'far');
      return '';
    },
  };
  const record = ownRecord('b', { endpoints });
  const failure = failureOf(() => FileLease.open({ stateDir, record }));
  expect(failure.code).toBe('FAILOVER_OTHER_NAMESPACE');
  expect(nodes().sort()).toEqual(['a', 'far']);
});

it('keeps its lock when its record outgrows a page', () => {
  const lease = openLease(temporaryDirectory(), 'a');
  const path = join(lease.paths.nodes, `${lease.local.listNodes()[0]?.run ?? ''}.json`);
  const isLocked = (): boolean => {
    const fd = openSync(path, 'r+');
    try {
      lockRecord(fd);
      return false;
    } catch {
      return true;
    } finally {
      closeSync(fd);
    }
  };
  expect(isLocked()).toBe(true);
  lease.local.setSessions(Array.from({ length: 30 }, () => session));
  expect(isLocked()).toBe(true);
});

it('waits for what it can not see, and says which record to remove once that has ended', () => {
  const lease = openLease(temporaryDirectory(), 'a');
  const judge = judgeOf(lease, () => 1e9);
  const { record, dies } = register(lease, 'b', { sessions: [session] });
  const remains = (): string[] => judge.remainsOf(lease.local.listNodes()).map(({ why }) => why);
  expect(remains()).toEqual([expect.stringContaining('that node is running')]);
  expect(judge.isGone(record)).toBe(false);
  dies();
  const path = join(lease.paths.nodes, `${record.run}.json`);
  expect(remains()).toEqual([expect.stringContaining(`then remove ${path}`)]);
  expect(judge.isGone(record)).toBe(false);
  rmSync(path);
  expect(remains()).toEqual([]);
});

it('waits neither for a living node that has only a standby, nor for a dead one that left nothing', () => {
  const lease = openLease(temporaryDirectory(), 'a');
  const judge = judgeOf(lease, () => 1e9);
  const standby = register(lease, 'b', { sessions: [{ ...session, active: false }] });
  const nothing = register(lease, 'c');
  expect(judge.remainsOf(lease.local.listNodes())).toEqual([]);
  nothing.dies();
  expect(judge.isGone(nothing.record)).toBe(true);
  standby.dies();
  expect(judge.remainsOf(lease.local.listNodes())).toHaveLength(1);
});

it('knows that a namespace went with its supervisor a second after that one was seen dead', () => {
  const lease = openLease(temporaryDirectory(), 'a');
  let now = 5000;
  const judge = judgeOf(lease, () => now);
  const { record, dies } = register(lease, 'b', { sessions: [session], endsNamespace: true });
  expect(judge.remainsOf([record])).toHaveLength(1);
  now += 10_000;
  dies();
  expect(judge.remainsOf([record])[0]?.why).toContain('ends with that node');
  now += 999;
  expect(judge.isGone(record)).toBe(false);
  now += 1;
  expect(judge.remainsOf([record])).toEqual([]);
  expect(judge.isGone(record)).toBe(true);
});

it('knows that a namespace is over where all of them are seen', () => {
  const lease = openLease(temporaryDirectory(), 'a');
  const { record, dies } = register(lease, 'b', { sessions: [session] });
  const judge = judgeOf(lease, () => 1e9, true);
  expect(judge.remainsOf([record])).toHaveLength(1);
  dies();
  expect(judge.remainsOf([record])).toEqual([]);
});

it('removes the record of a node that is gone with all it started, and no other', () => {
  const lease = openLease(temporaryDirectory(), 'a');
  register(lease, 'lives');
  register(lease, 'gone').dies();
  expect(lease.local.collectGarbage()).toBeGreaterThan(0);
  const nodes = lease.local.listNodes().map(({ node }) => node);
  expect(nodes).toContain('lives');
  expect(nodes).not.toContain('gone');
});
