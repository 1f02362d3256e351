// A rehearsal searches for nobody: what it finds it would wait for, and its cost would be taken for a takeover's.
import type fs from 'node:fs';
import { beforeEach, expect, it, vi } from 'vitest';
import { rehearse } from '../../src/runtime/rehearsal.ts';
import { openLease, ownRecord, temporaryDirectory } from '../lease/support/fixtures.ts';
import { settingsWith } from '../support/core-settings.ts';

const listed = vi.hoisted((): string[] => []);

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  return {
    ...original,
    readdirSync: (path: string) => {
      listed.push(path);
      return original.readdirSync(path);
    },
  };
});

beforeEach(() => {
  listed.length = 0;
});

it('a lease in a new directory does search the processes of the machine', () => {
  openLease(temporaryDirectory(), 'a');
  expect(listed).toContain('/proc');
});

it.each(['cold', 'armed', 'hot'] as const)(
  'a rehearsal of a %s standby does not, though its directory is new',
  async (standby) => {
    const { directory } = openLease(temporaryDirectory(), 'a').paths;
    listed.length = 0;
    const settings = settingsWith({ standby });
    const look = (): void => undefined;
    await rehearse({ settings, record: ownRecord('b'), directory, look, spawns: true });
    expect(listed.some((path) => path.startsWith(directory))).toBe(true);
    expect(listed.filter((path) => path.startsWith('/proc'))).toEqual([]);
  },
);
