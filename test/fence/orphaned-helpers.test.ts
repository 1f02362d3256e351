// What a killed hot node left ends, and nothing that may be of a node that lives.
import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { endOrphanedHelpers } from '../../src/fence/orphaned-helpers.ts';
import { ownIdentity, readStat } from '../../src/fence/process-identity.ts';
import type { NodeRecord, SessionRecord } from '../../src/lease/lease-store.ts';
import { until } from '../support/until.ts';
import { hasEnded, place } from './helpers-place.ts';

/** Nobody has its pid: it has ended, and been waited for. */
const ENDED = spawnSync('true').pid;

/** A life of node a that began with this process. */
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
// Nothing else of it is looked at.
const kept = { keep: true } as unknown as SessionRecord;
const later = String(BigInt(ownIdentity().startTime) + 10n ** 9n);

test('a helper of a dead life ends, also when the file was removed', async () => {
  const sources = place();
  const helper = await sources.start();
  rmSync(sources.lockPath);
  const ended = endOrphanedHelpers({ ...sources, ...at(sources), listNodes: () => [dead] }, 1000);
  expect(await ended).toEqual(new Set(['r1']));
  await until('its end', () => hasEnded(helper));
});

test.each<readonly [string, readonly NodeRecord[]]>([
  ['that lives', [live]],
  ['that lives again', [dead, live]],
  ['of which nothing is on record', []],
  ['that is to keep its orphans', [lifeOf(ENDED, { sessions: [kept] })]],
  ['that is not hot', [lifeOf(ENDED, { standby: 'cold' })]],
  ['of another name', [lifeOf(ENDED, { node: 'b' })]],
  [
    'that began after it',
    [lifeOf(ENDED, { supervisor: { ...ownIdentity(), pid: ENDED, startTime: later } })],
  ],
])('a helper of a node %s is left alone', async (_what, nodes) => {
  const sources = place();
  const helper = await sources.start();
  await endOrphanedHelpers({ ...sources, ...at(sources), listNodes: () => nodes }, 1000);
  expect(isThere(helper)).toBe(true);
});

test('what has not got the file is left alone', async () => {
  const sources = place();
  const stranger = await sources.start({ opens: false });
  await endOrphanedHelpers({ ...sources, ...at(sources), listNodes: () => [dead] }, 1000);
  expect(isThere(stranger)).toBe(true);
});

/** By the kernel's word: we may not have heard of its end yet. */
function isThere({ pid = 0 }: ChildProcess): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.state !== 'Z';
}

function at({ lockPath }: { readonly lockPath: string }): { readonly workloadLockPath: string } {
  return { workloadLockPath: lockPath };
}
