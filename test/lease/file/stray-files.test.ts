// What processes that were killed in the middle of a write have left, and what only looks like it.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { FileLease } from '../../../src/lease/file/file-lease.ts';
import { openLease, temporaryDirectory } from '../support/fixtures.ts';

const MINUTE_MS = 60_000;

/** The number of a process that has ended. */
const ENDED = String(spawnSync('true').pid);

const LEFT = [
  `primary.lock.${ENDED}.0123456789ab.tmp`,
  `workload.lock.${ENDED}.0123456789ab.tmp`,
  `probe.${ENDED}.0123456789ab.tmp`,
  `nodes/0011.json.${ENDED}.0123456789ab.tmp`,
  `marks/paused.${ENDED}.0123456789ab.tmp`,
  `marks/completed.${ENDED}.0123456789ab.tmp`,
];

const OTHERS = [
  `primary.lock.${String(process.pid)}.0123456789ab.tmp`,
  `primary.lock.${ENDED}.0123456789AB.tmp`,
  `primary.lock.${ENDED}.tmp`,
  `notes.${ENDED}.0123456789ab.tmp`,
  `nodes/no run.json.${ENDED}.0123456789ab.tmp`,
  `nodes/0011.txt.${ENDED}.0123456789ab.tmp`,
  `marks/0011.json.${ENDED}.0123456789ab.tmp`,
];

it('go when their writer has ended and nothing has changed for a minute', () => {
  const { lease, pass } = leaseWithClock();
  const before = all(lease);
  for (const name of LEFT) writeFileSync(join(lease.paths.directory, name), '{');
  const epochs = join(lease.paths.directory, `epochs.${ENDED}.0123456789ab.tmp`);
  mkdirSync(epochs);
  writeFileSync(join(epochs, '7'), '{}');
  lease.local.collectGarbage();
  pass(MINUTE_MS - 1);
  lease.local.collectGarbage();
  expect(all(lease)).toHaveLength(before.length + LEFT.length + 2);
  pass(1);
  lease.local.collectGarbage();
  expect(all(lease)).toEqual(before);
});

it('stay while they change, and where they are not known by their very name', () => {
  const { lease, pass } = leaseWithClock();
  const { directory } = lease.paths;
  for (const name of [...OTHERS, ...LEFT.slice(0, 1)]) writeFileSync(join(directory, name), '{');
  mkdirSync(join(directory, `epochs.${ENDED}.0123456789ab.tmp`));
  writeFileSync(join(directory, `epochs.${ENDED}.0123456789ab.tmp`, 'note'), '');
  const before = all(lease);
  for (let round = 0; round < 3; round += 1) {
    lease.local.collectGarbage();
    pass(MINUTE_MS - 1);
    appendFileSync(join(directory, LEFT[0] ?? ''), ' ');
  }
  lease.local.collectGarbage();
  expect(all(lease)).toEqual(before);
});

it('are not followed where they lead', () => {
  const { lease, pass } = leaseWithClock();
  const { directory } = lease.paths;
  const target = join(temporaryDirectory(), 'kept');
  writeFileSync(target, '');
  symlinkSync(target, join(directory, LEFT[0] ?? ''));
  lease.local.collectGarbage();
  pass(MINUTE_MS);
  lease.local.collectGarbage();
  expect(all(lease)).not.toContain(LEFT[0]);
  expect(readdirSync(join(target, '..'))).toEqual(['kept']);
});

it('go a bounded number at a time', () => {
  const { lease, pass } = leaseWithClock();
  const before = all(lease);
  for (let number = 0; number < 100; number += 1) {
    const name = `probe.${ENDED}.${String(number).padStart(12, '0')}.tmp`;
    writeFileSync(join(lease.paths.directory, name), '');
  }
  lease.local.collectGarbage();
  pass(MINUTE_MS);
  lease.local.collectGarbage();
  expect(all(lease)).toHaveLength(before.length + 36);
  lease.local.collectGarbage();
  pass(MINUTE_MS);
  lease.local.collectGarbage();
  expect(all(lease)).toEqual(before);
});

function leaseWithClock(): { readonly lease: FileLease; readonly pass: (ms: number) => void } {
  let now = 0;
  const lease = openLease(temporaryDirectory(), 'a', { environment: { now: () => now } });
  return {
    lease,
    pass: (ms) => {
      now += ms;
    },
  };
}

function all({ paths }: FileLease): string[] {
  return readdirSync(paths.directory, { recursive: true, encoding: 'utf8' }).sort();
}
