// Sessions of our own whose first process has ended: when their members are ours, and when nobody can tell.
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { adoptSight, noteSession, noteStarter, sightOf } from '../../src/fence/own-sessions.ts';
import { ownIdentity, readStat } from '../../src/fence/process-identity.ts';
import { scanSessions } from '../../src/fence/session-members.ts';
import { isStartedBy } from '../../src/fence/started-by.ts';
import type { SessionRecord } from '../../src/lease/lease-store.ts';
import { emptySessions, livingMembers } from '../../src/workload/living-members.ts';
import { signal } from '../support/process-list.ts';
import { until } from '../support/until.ts';

/** Far longer than anything is taken for fresh. */
const LONG_MS = 3_600_000;

const STARTER = { group: 'g', stateDir: '/nowhere', node: 'a' };
const MARK = { FAILOVER_GROUP: 'g', FAILOVER_STATE_DIR: '/nowhere', FAILOVER_NODE: 'a' };

let nowMs = 0;
beforeEach(() => {
  nowMs = 1_000_000;
  vi.spyOn(process, 'hrtime').mockImplementation(() => [nowMs / 1e3, 0]);
});
afterEach(() => {
  vi.restoreAllMocks();
});

it('what is there right after the end of the first process is ours', async () => {
  const record = await leaderlessSession();
  noteSession(record);
  expect(livingMembers([record])).toHaveLength(1);
});

it('what was there at the last look is ours, however long ago that was', async () => {
  const record = await leaderlessSession();
  noteSession(record);
  livingMembers([record]);
  nowMs += LONG_MS;
  expect(livingMembers([record])).toHaveLength(1);
});

it('what nobody has looked at for long may be a stranger, and is neither ours nor empty', async () => {
  const record = await leaderlessSession();
  noteSession(record);
  nowMs += LONG_MS;
  expect(livingMembers([record])).toEqual([]);
  expect(emptySessions([record])).toEqual([]);
});

it.each([
  ['what this life of the node has started is ours', {}, 1],
  ['what another node has started may be a stranger', { node: 'b' }, 0],
  ['what an earlier life of the node has started may be a stranger', { since: '99999999999' }, 0],
])('by its environment, however long ago it was looked at: %s', async (_, change, members) => {
  const record = await leaderlessSession({ ...MARK });
  noteStarter(record, { ...STARTER, since: ownIdentity().startTime, ...change });
  // Those that nobody has found are not taken for gone.
  expect(emptySessions([record])).toEqual([]);
  expect(livingMembers([record])).toHaveLength(members);
});

it('what /proc hides proves nothing about who has started it, and breaks no look', () => {
  const starter = { ...STARTER, since: ownIdentity().startTime };
  expect(isStartedBy({ pid: process.pid, startTime: 'hidden' }, starter)).toBe(false);
  const own = { pid: process.pid, startTime: ownIdentity().startTime };
  expect(isStartedBy(own, { ...starter, since: 'unknown' })).toBe(false);
});

it('what another process has seen there is ours, and an earlier sight takes nothing from a later one', async () => {
  const record = await leaderlessSession();
  noteSession(record);
  livingMembers([record]);
  const seen = sightOf(record) ?? { atMs: 0, members: [] };
  nowMs += LONG_MS;
  const told = { ...record, process: { ...record.process } };
  expect(livingMembers([told])).toEqual([]);
  adoptSight(told, seen);
  adoptSight(told, { atMs: seen.atMs - 1, members: [] });
  expect(livingMembers([told])).toHaveLength(1);
});

it('one that is empty is found to be so, also when nobody has looked for long', async () => {
  const record = await leaderlessSession();
  endAll(record);
  await until('their end', () => membersOf(record).length === 0);
  expect(emptySessions([record])).toEqual([record.process.pid]);
});

/** A helper lives in it; its start proves nothing, as where all numbers have gone round since. */
async function leaderlessSession(
  environment: Readonly<Record<string, string>> = {},
): Promise<SessionRecord> {
  const child = spawn('sh', ['-c', 'sleep 1000 & exit 0'], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, ...environment },
  });
  const pid = child.pid ?? 0;
  const record: SessionRecord = {
    process: { ...ownIdentity(), pid, startTime: 'unknown' },
    kind: 'workload',
    active: true,
    keep: false,
    stopsWithSupervisor: false,
  };
  onTestFinished(() => {
    endAll(record);
  });
  await new Promise((resolve) => child.once('exit', resolve));
  expect(readStat(pid)).toBeNull();
  expect(membersOf(record)).toHaveLength(1);
  return record;
}

function membersOf({ process: { pid } }: SessionRecord): readonly { readonly pid: number }[] {
  return scanSessions(new Set([pid])).get(pid) ?? [];
}

function endAll(record: SessionRecord): void {
  for (const { pid } of membersOf(record)) signal(pid, 'SIGKILL');
}
