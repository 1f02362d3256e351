import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { prepareRoleFile, removeRoleFile, writeRoleFile } from '../../src/workload/role-file.ts';
import { workloadDirectory } from '../support/workload.ts';

const PRIMARY = { role: 'primary', epoch: 7, reason: 'a "quoted" reason' } as const;
const SECONDARY = { role: 'secondary', epoch: null, reason: '' } as const;

describe('the role file', () => {
  it('is replaced as a whole, in a directory that is made for it', () => {
    const path = join(workloadDirectory(), 'roles', 'run.json');
    writeRoleFile(path, SECONDARY);
    const before = statSync(path).ino;
    writeRoleFile(path, PRIMARY);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(PRIMARY);
    expect(statSync(path).ino).not.toBe(before);
    removeRoleFile(path);
    removeRoleFile(path);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('gets its name from a file that was made ahead, and is as it should be whatever that says', () => {
    const path = join(workloadDirectory(), 'role');
    prepareRoleFile(path);
    prepareRoleFile(path);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    const ahead = statSync(`${path}.new`).ino;
    writeFileSync(`${path}.new`, 'x'.repeat(5_000));
    writeRoleFile(path, PRIMARY);
    expect(statSync(path).ino).toBe(ahead);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(PRIMARY);
  });

  it('goes with what was made ahead for it, and makes nothing ahead where it can not', () => {
    const path = join(workloadDirectory(), 'role');
    prepareRoleFile(path);
    removeRoleFile(path);
    expect(statSync(`${path}.new`, { throwIfNoEntry: false })).toBeUndefined();
    prepareRoleFile(join(path, 'missing', 'role'));
  });

  it('has one length whatever the reason', () => {
    const path = join(workloadDirectory(), 'role');
    const lengths = ['', 'ü', '\u0001'.repeat(5000), '"'.repeat(5000)].map((reason) => {
      writeRoleFile(path, { ...PRIMARY, reason });
      return statSync(path).size;
    });
    expect(new Set(lengths).size).toBe(1);
  });

  it.skipIf(process.getuid?.() !== 0)('can be changed on a full disk', () => {
    const disk = join(workloadDirectory(), 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      // No permission to mount, as in most containers: nothing to see.
      return;
    }
    onTestFinished(() => {
      execFileSync('umount', [disk]);
    });
    const path = join(disk, 'role');
    writeRoleFile(path, SECONDARY);
    expect(() => {
      writeFileSync(join(disk, 'filler'), Buffer.alloc(64 * 1024));
    }).toThrow('ENOSPC');
    writeRoleFile(path, PRIMARY);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(PRIMARY);
  });
});
