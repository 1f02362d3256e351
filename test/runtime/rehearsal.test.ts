// A rehearsal leaves nothing behind, and says how long a takeover takes here.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Standby } from '../../src/core/settings.ts';
import type { FileLease } from '../../src/lease/file/file-lease.ts';
import { rehearse } from '../../src/runtime/rehearsal.ts';
import { openLease, ownRecord, temporaryDirectory } from '../lease/support/fixtures.ts';
import { settingsWith } from '../support/core-settings.ts';

interface Rehearsed {
  readonly lease: FileLease;
  readonly tookMs: number;
  /** How often the group's processes were looked at. */
  readonly looks: number;
}

async function rehearsed(
  standby: Standby,
  before?: (lease: FileLease) => void,
): Promise<Rehearsed> {
  const lease = openLease(temporaryDirectory(), 'a');
  before?.(lease);
  let looks = 0;
  const tookMs = await rehearse({
    settings: settingsWith({ standby }),
    record: ownRecord('b'),
    directory: lease.paths.directory,
    spawns: true,
    look: () => {
      looks += 1;
    },
  });
  return { lease, tookMs, looks };
}

it.each(['cold', 'armed', 'hot'] as const)(
  'of a %s standby is measured and leaves no file and no claim behind',
  async (standby) => {
    const { lease, tookMs, looks } = await rehearsed(standby);
    expect(tookMs).toBeGreaterThan(0);
    expect(looks).toBeGreaterThan(0);
    expect(lease.observe()).toMatchObject({ epoch: 0, held: false });
    expect(lease.local.listNodes().map(({ node }) => node)).toEqual(['a']);
    expect(rehearsalsIn(lease)).toEqual([]);
  },
);

it('removes what one left that was killed, and spares one that is under way', async () => {
  let spared = '';
  const { lease } = await rehearsed('armed', (group) => {
    const { directory } = group.paths;
    spared = `rehearsal-${group.local.listNodes()[0]?.run ?? ''}`;
    mkdirSync(join(directory, spared));
    mkdirSync(join(directory, 'rehearsal-0123456789ab', 'group'), { recursive: true });
  });
  expect(rehearsalsIn(lease)).toEqual([spared]);
});

it('that fails leaves no process behind', async () => {
  const { directory } = openLease(temporaryDirectory(), 'a').paths;
  const parts = {
    settings: settingsWith({ standby: 'cold' }),
    record: ownRecord('b'),
    directory,
    spawns: true,
    look: () => {
      throw new Error('no look today');
    },
  };
  await expect(rehearse(parts)).rejects.toThrow('no look today');
  expect(readdirSync(directory).filter((name) => name.startsWith('rehearsal-'))).toEqual([]);
  expect(gatesOf(process.pid)).toEqual([]);
});

it('fails, and makes no group anew, where the directory was removed', async () => {
  const directory = join(temporaryDirectory(), 'gone');
  const parts = {
    settings: settingsWith({ standby: 'armed' }),
    record: ownRecord('b'),
    directory,
    spawns: true,
    look: () => undefined,
  };
  await expect(rehearse(parts)).rejects.toThrow('ENOENT');
  expect(existsSync(directory)).toBe(false);
});

function rehearsalsIn({ paths }: FileLease): string[] {
  return readdirSync(paths.directory).filter((name) => name.startsWith('rehearsal-'));
}

/** The command lines of gates that a process has started. */
function gatesOf(pid: number): string[] {
  return readFileSync(`/proc/self/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '')
    .map((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8'))
    .filter((line) => line.includes('failover-gate'));
}
