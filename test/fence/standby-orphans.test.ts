// What a killed hot node left ends, and nothing that may be of a node that lives.
import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { endStandbyOrphans } from '../../src/fence/standby-orphans.ts';
import type { OrphanSources } from '../../src/fence/standby-orphans.ts';
import { ownIdentity, readStat } from '../../src/fence/process-identity.ts';
import type { NodeRecord, SessionRecord } from '../../src/lease/lease-store.ts';
import { until } from '../support/until.ts';
import { hasEnded, place } from './helpers-place.ts';
import type { Place } from './helpers-place.ts';

/** Nobody has its pid: it has ended, and been waited for. */
const ENDED = spawnSync('true').pid;

/** A life of node a. */
function lifeOf(pid: number, changes: Partial<NodeRecord> = {}): NodeRecord {
  const supervisor = { ...ownIdentity(), pid };
  const fields = {
    run: 'r1',
    node: 'a',
    group: 'web',
    standby: 'hot',
    supervisor,
    sessions: [],
    ...changes,
  };
  // Nothing else of it is looked at.
  return fields as unknown as NodeRecord;
}

const dead = lifeOf(ENDED);
const live = lifeOf(process.pid);

const GRACES = { fenceGraceMs: 1000, stopGraceMs: 1000 };

/** A session that began with this process. */
function sessionOf(pid: number, changes: Partial<SessionRecord> = {}): SessionRecord {
  const startTime = readStat(pid)?.startTime ?? '1';
  return {
    ...{ process: { ...ownIdentity(), pid, startTime }, kind: 'workload' },
    ...{ active: false, keep: false, stopsWithSupervisor: false },
    ...changes,
  };
}

it('a helper of a dead life ends, also when the file was removed', async () => {
  const sources = place();
  const helper = await sources.start();
  rmSync(sources.lockPath);
  const ended = endStandbyOrphans(at(sources, [dead]), () => GRACES);
  expect(await ended).toEqual(new Set(['r1']));
  await until('its end', () => hasEnded(helper));
});

it.each<readonly [string, readonly NodeRecord[]]>([
  ['that lives', [live]],
  // With a record of the life before that one, while its own can't be read.
  ['that lives again', [lifeOf(ENDED, { run: 'r0' })]],
  ['of which nothing is on record', []],
  ['that is to keep its orphans', [lifeOf(ENDED, { sessions: [sessionOf(1, { keep: true })] })]],
  ['that is not hot', [lifeOf(ENDED, { standby: 'cold' })]],
  [
    'of another boot',
    [lifeOf(ENDED, { supervisor: { ...ownIdentity(), pid: ENDED, bootId: 'other' } })],
  ],
  [
    'of another pid namespace',
    [lifeOf(ENDED, { supervisor: { ...ownIdentity(), pid: ENDED, pidNamespace: '1' } })],
  ],
])('a helper of a node %s is left alone', async (_what, nodes) => {
  const sources = place();
  const helper = await sources.start();
  await endStandbyOrphans(at(sources, nodes), () => GRACES);
  expect(isThere(helper)).toBe(true);
});

it('a member of a session that was active is left to who takes over', async () => {
  const sources = place();
  const member = await sources.start();
  const session = sessionOf(member.pid ?? 0, { active: true });
  await endStandbyOrphans(at(sources, [lifeOf(ENDED, { sessions: [session] })]), () => GRACES);
  expect(isThere(member)).toBe(true);
});

it.each([
  ['with the grace of an orphan that was told when its supervisor died', true, 20, 600_000],
  ['with the grace of one that is told now', false, 600_000, 20],
])(
  'a member of a session that stood by ends, also one that ignores TERM, %s',
  async (_what, stopsWithSupervisor, stopGraceMs, fenceGraceMs) => {
    const sources = place();
    // Neither lock nor mark is needed: it is on record.
    const member = await sources.start({ script: "trap '' TERM;", opens: false, run: 'r0' });
    const session = sessionOf(member.pid ?? 0, { stopsWithSupervisor });
    const nodes = [lifeOf(ENDED, { sessions: [session] })];
    const ended = endStandbyOrphans(at(sources, nodes), () => ({ stopGraceMs, fenceGraceMs }));
    expect(await ended).toEqual(new Set(['r1']));
    await until('its end', () => hasEnded(member));
  },
);

it('what has the number of a recorded session and is another is left alone', async () => {
  const sources = place();
  const stranger = await sources.start();
  const session = sessionOf(stranger.pid ?? 0);
  const earlier = { ...session, process: { ...session.process, startTime: '1' } };
  await endStandbyOrphans(at(sources, [lifeOf(ENDED, { sessions: [earlier] })]), () => GRACES);
  expect(isThere(stranger)).toBe(true);
});

it('a node that a workload started is left alone', async () => {
  const sources = place();
  const node = await sources.start();
  const nested = lifeOf(node.pid ?? 0, { run: 'r2', node: 'b' });
  await endStandbyOrphans(at(sources, [dead, nested]), () => GRACES);
  expect(isThere(node)).toBe(true);
});

it('a wait for one that ignores TERM can be cut short', async () => {
  const sources = place();
  const helper = await sources.start({ script: "trap '' TERM;" });
  let graces = { fenceGraceMs: 600_000, stopGraceMs: 600_000 };
  const ended = endStandbyOrphans(at(sources, [dead]), () => graces);
  graces = { fenceGraceMs: 0, stopGraceMs: 0 };
  expect(await ended).toEqual(new Set(['r1']));
  await until('its end', () => hasEnded(helper));
});

it('what has not got the file is left alone', async () => {
  const sources = place();
  const stranger = await sources.start({ opens: false });
  await endStandbyOrphans(at(sources, [dead]), () => GRACES);
  expect(isThere(stranger)).toBe(true);
});

/** By the kernel's word: we may not have heard of its end yet. */
function isThere({ pid = 0 }: ChildProcess): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.state !== 'Z';
}

function at(sources: Place, nodes: readonly NodeRecord[]): OrphanSources {
  return {
    ...sources,
    workloadLockPath: sources.lockPath,
    listNodes: () => nodes,
    roleFileOf: (run) => `role-${run}.json`,
  };
}
