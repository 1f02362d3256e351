// What a killed hot node left ends, and nothing that may be of a node that lives.
import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { endOrphanedHelpers } from '../../src/fence/orphaned-helpers.ts';
import type { OrphanSources } from '../../src/fence/orphaned-helpers.ts';
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

/** A session that began with this process's id. */
function sessionOf(pid: number, keep = false): SessionRecord {
  // Nothing else of it is looked at.
  return { process: { ...ownIdentity(), pid }, keep } as unknown as SessionRecord;
}

test('a helper of a dead life ends, also when the file was removed', async () => {
  const sources = place();
  const helper = await sources.start();
  rmSync(sources.lockPath);
  const ended = endOrphanedHelpers(at(sources, [dead]), () => 1000);
  expect(await ended).toEqual(new Set(['r1']));
  await until('its end', () => hasEnded(helper));
});

test.each<readonly [string, readonly NodeRecord[]]>([
  ['that lives', [live]],
  // With a record of the life before that one, while its own can't be read.
  ['that lives again', [lifeOf(ENDED, { run: 'r0' })]],
  ['of which nothing is on record', []],
  ['that is to keep its orphans', [lifeOf(ENDED, { sessions: [sessionOf(1, true)] })]],
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
  await endOrphanedHelpers(at(sources, nodes), () => 1000);
  expect(isThere(helper)).toBe(true);
});

test('a member of a recorded session is left to who empties that', async () => {
  const sources = place();
  const member = await sources.start();
  const withSession = lifeOf(ENDED, { sessions: [sessionOf(member.pid ?? 0)] });
  await endOrphanedHelpers(at(sources, [withSession]), () => 1000);
  expect(isThere(member)).toBe(true);
});

test('a node that a workload started is left alone', async () => {
  const sources = place();
  const node = await sources.start();
  const nested = lifeOf(node.pid ?? 0, { run: 'r2', node: 'b' });
  await endOrphanedHelpers(at(sources, [dead, nested]), () => 1000);
  expect(isThere(node)).toBe(true);
});

test('a wait for one that ignores TERM can be cut short', async () => {
  const sources = place();
  const helper = await sources.start({ script: "trap '' TERM;" });
  let graceMs = 600_000;
  const ended = endOrphanedHelpers(at(sources, [dead]), () => graceMs);
  graceMs = 0;
  expect(await ended).toEqual(new Set(['r1']));
  await until('its end', () => hasEnded(helper));
});

test('what has not got the file is left alone', async () => {
  const sources = place();
  const stranger = await sources.start({ opens: false });
  await endOrphanedHelpers(at(sources, [dead]), () => 1000);
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
