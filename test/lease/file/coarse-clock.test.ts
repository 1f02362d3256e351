// On a file system whose clock never moves a node misses no change that is made just after it has looked.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { statOrNull } from '../../../src/lease/file/file-identity.ts';
import type * as FileIdentity from '../../../src/lease/file/file-identity.ts';
import type { FileLease } from '../../../src/lease/file/file-lease.ts';
import { granted, openLease, temporaryDirectory } from '../support/fixtures.ts';

const { statOrNull: real } = await vi.importActual<typeof FileIdentity>(
  '../../../src/lease/file/file-identity.ts',
);

vi.mock('../../../src/lease/file/file-identity.ts', async (original) => ({
  ...(await original<typeof FileIdentity>()),
  statOrNull: vi.fn(),
}));

beforeEach(() => {
  vi.mocked(statOrNull).mockImplementation((path): BigIntStats | null => {
    const stats = real(path);
    // `touch` is what the holder sets: not a time of the file system's own.
    if (stats === null || path.endsWith('primary.lock')) return stats;
    return Object.assign(stats, { mtimeNs: 0n, ctimeNs: 0n });
  });
});

/** A primary, and a standby that has just looked. */
async function pair(): Promise<{ readonly primary: FileLease; readonly standby: FileLease }> {
  const stateDir = temporaryDirectory();
  const environment = { now: (): number => 0 };
  const primary = openLease(stateDir, 'a', { environment });
  const standby = openLease(stateDir, 'b', { environment });
  await granted(primary.acquire(0));
  expect(standby.look()).toMatchObject({ epoch: 1, held: true, paused: false });
  expect(primary.verify().type).toBe('held');
  return { primary, standby };
}

it('sees an epoch', async () => {
  const { primary, standby } = await pair();
  await primary.advanceEpoch(0);
  expect(standby.look()).toMatchObject({ epoch: 2, holder: { node: 'a' } });
  rmSync(join(primary.paths.epochs, '2'));
  writeFileSync(join(primary.paths.epochs, '3'), '');
  expect(standby.look()).toMatchObject({ epoch: 3, holder: null, recordUnreadable: true });
  expect(primary.verify()).toMatchObject({ type: 'lost' });
});

it('sees a pause and its end', async () => {
  const { primary, standby } = await pair();
  for (const paused of [true, false]) {
    await primary.setPaused(paused, 'x');
    expect(standby.look().paused).toBe(paused);
  }
});

it('sees what the holder says of itself', async () => {
  const { primary, standby } = await pair();
  for (const bus of ['tcp://127.0.0.1:1', 'tcp://127.0.0.1:2']) {
    primary.local.updateEndpoints({ bus, rpc: bus });
    expect(standby.look().holder?.endpoints).toEqual({ bus, rpc: bus });
  }
});

it.each(['nodes', 'claims'] as const)(
  'puts right what was written over its record in %s',
  async (part) => {
    const { primary, standby } = await pair();
    for (const lease of [primary, standby]) {
      const path = join(lease.paths[part], `${lease.local.membership.record.run}.json`);
      const before = readFileSync(path, 'utf8');
      for (let round = 0; round < 3; round += 1) {
        writeFileSync(path, '{}'.padEnd(before.length));
        if (lease === primary) expect(lease.verify().type).toBe('held');
        else lease.look();
        expect(readFileSync(path, 'utf8')).toBe(before);
      }
    }
  },
);

it.each(['directory', 'primaryLock', 'workloadLock', 'epochs'] as const)(
  'sees at once that the %s was replaced',
  async (part) => {
    const { primary } = await pair();
    const path = primary.paths[part];
    renameSync(path, `${path}.moved`);
    if (part === 'directory' || part === 'epochs') mkdirSync(path);
    else writeFileSync(path, readFileSync(`${path}.moved`));
    expect(primary.verify()).toMatchObject({ type: 'lost' });
  },
);

it('sees that the directory was replaced by one with the same lock file in it', async () => {
  const { primary } = await pair();
  const { directory } = primary.paths;
  renameSync(directory, `${directory}.moved`);
  mkdirSync(directory);
  for (const name of ['primary.lock', 'workload.lock', 'epochs', 'marks', 'nodes', 'claims']) {
    renameSync(join(`${directory}.moved`, name), join(directory, name));
  }
  expect(primary.verify()).toEqual({
    type: 'lost',
    cause: `${directory} was replaced by another directory`,
  });
});
