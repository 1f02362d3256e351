// Who is registered, who lives, who is refused, and which records go.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { readIdentity } from '../../../src/fence/process-identity.ts';
import type { FileLease } from '../../../src/lease/file/file-lease.ts';
import { parseNodeRecord } from '../../../src/lease/file/node-record.ts';
import { isRecordLocked } from '../../../src/lease/file/record-lock.ts';
import type { NodeRecord, ProcessIdentity, SessionRecord } from '../../../src/lease/lease-store.ts';
import { failureOf } from '../../support/failover-error.ts';
import { openLease, ownRecord, temporaryDirectory } from '../support/fixtures.ts';

/** A session of one process; `end` resolves when nothing of it is left. */
async function startSession(): Promise<{ identity: ProcessIdentity; end: () => Promise<void> }> {
  const child = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const ended = once(child, 'close');
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'spawn');
  const identity = readIdentity(child.pid ?? 0);
  if (identity === null) throw new Error('the child is gone');
  return {
    identity,
    end: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function sessionOf(process: ProcessIdentity): SessionRecord {
  return { process, kind: 'workload', active: true, keep: false, stopsWithSupervisor: false };
}

/** Puts the record of another node beside that of `lease`. */
function register(lease: FileLease, changes: Partial<NodeRecord>): string {
  const record = { v: 1, ...ownRecord('other'), sessions: [], ...changes };
  const path = join(lease.paths.nodes, `${record.run}.json`);
  writeFileSync(path, JSON.stringify(record));
  return path;
}

const gone = (identity: ProcessIdentity): ProcessIdentity => ({ ...identity, startTime: '1' });

it('takes no id for taken that an ended run of the same process has left on record, and that of a living one', async () => {
  const directory = temporaryDirectory();
  const former = openLease(directory, 'a');
  const taken = failureOf(() => openLease(directory, 'a'));
  expect(taken).toMatchObject({ code: 'FAILOVER_NODE_TAKEN' });
  const { identity, end } = await startSession();
  former.local.setSessions([sessionOf(identity)]);
  await former.close();
  // For whoever empties what it has left.
  expect(readdirSync(former.paths.nodes)).toHaveLength(1);
  const next = openLease(directory, 'a');
  expect(readdirSync(next.paths.nodes)).toHaveLength(2);
  await end();
});

it('gives up its record also where its lease could not be given back', async () => {
  const lease = openLease(temporaryDirectory(), 'a');
  const [name = ''] = readdirSync(lease.paths.nodes);
  lease.local.setSessions([sessionOf(ownRecord('a').supervisor)]);
  const path = join(lease.paths.nodes, name);
  expect(isRecordLocked(path)).toBe(true);
  const failure = new Error('the disk is gone');
  vi.spyOn(lease, 'release').mockRejectedValueOnce(failure);
  await expect(lease.close()).rejects.toBe(failure);
  expect(isRecordLocked(path)).toBe(false);
});

it('keeps its record in a page of its own and overwrites it in place', () => {
  const a = openLease(temporaryDirectory(), 'a');
  const path = join(a.paths.nodes, readdirSync(a.paths.nodes)[0] ?? '');
  const before = statSync(path);
  expect(before.size).toBe(4096);
  const session = sessionOf(ownRecord('a').supervisor);
  a.local.setSessions([session, session]);
  expect(parseNodeRecord(readFileSync(path, 'utf8'))?.sessions).toEqual([session, session]);
  a.local.setSessions([]);
  expect(parseNodeRecord(readFileSync(path, 'utf8'))?.sessions).toEqual([]);
  expect(statSync(path)).toMatchObject({ ino: before.ino, size: 4096 });
});

it('grows to two pages for many sessions, and refuses more than fit by their number', () => {
  const a = openLease(temporaryDirectory(), 'a');
  const path = join(a.paths.nodes, readdirSync(a.paths.nodes)[0] ?? '');
  const sessions = Array.from({ length: 30 }, () => sessionOf(gone(ownRecord('a').supervisor)));
  a.local.setSessions(sessions);
  expect(statSync(path).size).toBe(8192);
  expect(a.local.listNodes()[0]?.sessions).toHaveLength(30);
  const tooMany = [...sessions, ...sessions];
  const failure = failureOf(() => {
    a.local.setSessions(tooMany);
  });
  expect(failure.code).toBe('FAILOVER_REFUSED');
  expect(failure.message).toContain('60 sessions');
  expect(a.local.listNodes()[0]?.sessions).toHaveLength(30);
  a.local.setSessions([]);
  expect(a.local.listNodes()[0]?.sessions).toEqual([]);
});

it('refuses a node id that a living process has, and names that process', () => {
  const stateDir = temporaryDirectory();
  openLease(stateDir, 'a');
  const failure = failureOf(() => openLease(stateDir, 'a'));
  expect(failure).toMatchObject({ code: 'FAILOVER_NODE_TAKEN', exitCode: 4 });
  expect(failure.message).toContain(`process ${process.pid} has had that id`);
  expect(openLease(stateDir, 'b').local.listNodes()).toHaveLength(2);
});

it('takes over the id of a process that has ended, and its record goes', () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  register(a, { node: 'b', supervisor: gone(ownRecord('b').supervisor) });
  expect(a.local.listNodes().find(({ node }) => node === 'b')?.alive).toBe(false);
  const b = openLease(stateDir, 'b');
  expect(
    b.local
      .listNodes()
      .map(({ node, alive }) => [node, alive])
      .sort(),
  ).toEqual([
    ['a', true],
    ['b', true],
  ]);
});

it('keeps the record of an ended supervisor until the last process of its sessions is gone', async () => {
  const a = openLease(temporaryDirectory(), 'a');
  const session = await startSession();
  register(a, {
    supervisor: gone(ownRecord('x').supervisor),
    sessions: [sessionOf(session.identity)],
  });
  expect(a.local.collectGarbage()).toBe(0);
  expect(a.local.listNodes()).toHaveLength(2);
  await session.end();
  expect(a.local.collectGarbage()).toBe(1);
  expect(a.local.listNodes().map(({ node }) => node)).toEqual(['a']);
});

it('keeps its own record at the end while a session of it still runs', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const session = await startSession();
  a.local.setSessions([sessionOf(session.identity)]);
  await a.close();
  expect(a.local.listNodes().map(({ node }) => node)).toEqual(['a']);
});

it('refuses a directory in which a node of another host was active a moment ago', () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const supervisor = { ...ownRecord('x').supervisor, bootId: 'another' };
  const path = register(a, { node: 'far', host: 'far-host', supervisor });
  const failure = failureOf(() => openLease(stateDir, 'b'));
  expect(failure.code).toBe('FAILOVER_OTHER_BOOT');
  expect(failure.message).toMatch(/node far of host far-host/);
  const longAgo = Date.now() / 1000 - 600;
  utimesSync(path, longAgo, longAgo);
  expect(
    openLease(stateDir, 'b')
      .local.listNodes()
      .map(({ node }) => node),
  ).not.toContain('far');
});

it('takes the record of an earlier boot of this host for what it is: dead', () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const supervisor = { ...ownRecord('x').supervisor, bootId: 'earlier' };
  register(a, { node: 'b', supervisor });
  expect(
    openLease(stateDir, 'b')
      .local.listNodes()
      .filter(({ alive }) => alive),
  ).toHaveLength(2);
});

it('passes over what is no record', () => {
  const a = openLease(temporaryDirectory(), 'a');
  for (const [name, content] of [
    ['torn.json', '{"v":1,"node":"x"'],
    ['array.json', '[]'],
    ['future.json', JSON.stringify({ ...a.local.listNodes()[0], v: 2 })],
    ['pid.json', JSON.stringify({ ...a.local.listNodes()[0], supervisor: { pid: -1 } })],
    ['sessions.json', JSON.stringify({ ...a.local.listNodes()[0], sessions: [1] })],
    ['.json', '{}'],
    ['note.txt', '{}'],
  ] as const) {
    writeFileSync(join(a.paths.nodes, name), content);
  }
  expect(a.local.listNodes().map(({ node }) => node)).toEqual(['a']);
  expect(a.local.collectGarbage()).toBe(0);
});

it('removes the claims of runs that never registered, once they are older than a minute', () => {
  const a = openLease(temporaryDirectory(), 'a');
  const own = readdirSync(a.paths.claims).sort();
  const stray = ['run-1.json', 'run-1.spare', 'run-2.json.77.tmp'];
  for (const name of stray) writeFileSync(join(a.paths.claims, name), '{}');
  expect(a.local.collectGarbage()).toBe(0);
  expect(readdirSync(a.paths.claims).sort()).toEqual([...own, ...stray].sort());
  const longAgo = Date.now() / 1000 - 61;
  for (const name of [...own, ...stray]) utimesSync(join(a.paths.claims, name), longAgo, longAgo);
  expect(a.local.collectGarbage()).toBe(0);
  expect(readdirSync(a.paths.claims).sort()).toEqual(own);
});
