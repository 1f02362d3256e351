// Where a lease may be kept, and how it is said where not.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { refuseRemoteFileSystem } from '../../../src/lease/file/file-system-kind.ts';
import { groupPaths } from '../../../src/lease/file/group-paths.ts';
import { openStateDirectory } from '../../../src/lease/file/state-directory.ts';
import { failureOf } from '../../support/failover-error.ts';
import { granted, openLease, ownRecord, temporaryDirectory } from '../support/fixtures.ts';
import { mayBeAnotherUser } from '../../support/another-user.ts';

const isRoot = process.geteuid?.() === 0;

it('makes it with all its parents, for this user alone, and without lock files and epochs', () => {
  const stateDir = join(temporaryDirectory(), 'a', 'b');
  const paths = openStateDirectory({ stateDir, group: 'web' });
  expect(paths).toEqual(groupPaths(join(stateDir, 'web')));
  expect(statSync(paths.directory).mode & 0o777).toBe(0o700);
  expect(readdirSync(paths.directory).sort()).toEqual(['claims', 'marks', 'nodes']);
});

it('closes one that others could read', () => {
  const stateDir = temporaryDirectory();
  mkdirSync(join(stateDir, 'web'));
  chmodSync(join(stateDir, 'web'), 0o755);
  const { directory } = openStateDirectory({ stateDir, group: 'web' });
  expect(statSync(directory).mode & 0o777).toBe(0o700);
});

it('refuses a file where a directory should be', () => {
  const stateDir = temporaryDirectory();
  writeFileSync(join(stateDir, 'file'), '');
  for (const [state, group] of [
    [stateDir, 'file'],
    [join(stateDir, 'file'), 'web'],
    [join(stateDir, 'file', 'deeper'), 'web'],
  ] as const) {
    const failure = failureOf(() => openStateDirectory({ stateDir: state, group }));
    expect(failure).toMatchObject({ code: 'FAILOVER_STATE_DIR_NOT_A_DIRECTORY', exitCode: 2 });
    expect(failure.message).toContain(state);
  }
});

it('refuses a symbolic link that leads nowhere or to itself', () => {
  const stateDir = temporaryDirectory();
  symlinkSync('loop', join(stateDir, 'loop'));
  expect(failureOf(() => openStateDirectory({ stateDir, group: 'loop' })).code).toBe(
    'FAILOVER_STATE_DIR_NOT_A_DIRECTORY',
  );
});

it('refuses a place where the file system takes no names', () => {
  const failure = failureOf(() => openStateDirectory({ stateDir: '/proc/x', group: 'web' }));
  expect(failure.code).toBe('FAILOVER_STATE_DIR_NOT_WRITABLE');
  expect(failure.message).toBe('Cannot create /proc/x: nothing can be created there');
});

it('refuses a name that is too long', () => {
  const group = 'x'.repeat(300);
  const failure = failureOf(() => openStateDirectory({ stateDir: temporaryDirectory(), group }));
  expect(failure.code).toBe('FAILOVER_PATH_TOO_LONG');
});

describe('the kind of file system', () => {
  it.each([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010])(
    'takes a local one: %i',
    (type) => {
      expect(() => {
        refuseRemoteFileSystem('/x', () => type);
      }).not.toThrow();
    },
  );

  it.each([
    [0x6969, 'nfs'],
    [0xff534d42, 'cifs'],
    [-0x00acb2be, 'cifs'],
    [0xfe534d42, 'smb2'],
    [0x65735546, 'fuse'],
    [0x01021997, '9p'],
    [0x00c36400, 'ceph'],
    [0x5346414f, 'afs'],
    [0x0bd00bd0, 'lustre'],
    [0x47504653, 'gpfs'],
    [0x1234, 'of the unknown type 0x1234'],
  ])('refuses %i and names it', (type, name) => {
    const stateDir = temporaryDirectory();
    const failure = failureOf(() =>
      openLease(stateDir, 'a', { environment: { readFileSystemType: () => type } }),
    );
    expect(failure).toMatchObject({ code: 'FAILOVER_FILE_SYSTEM_NOT_LOCAL', exitCode: 2 });
    expect(failure.hint).toContain('--lease-ttl');
    expect(failure.message).toContain(`${join(stateDir, 'web')}: its file system is ${name},`);
  });
});

describe.skipIf(!isRoot)('as root', () => {
  it('refuses a directory of another user', () => {
    const stateDir = temporaryDirectory();
    mkdirSync(join(stateDir, 'web'));
    spawnSync('chown', ['65534', join(stateDir, 'web')]);
    const failure = failureOf(() => openStateDirectory({ stateDir, group: 'web' }));
    expect(failure.code).toBe('FAILOVER_STATE_DIR_NOT_WRITABLE');
    expect(failure.message).toContain('belongs to user 65534, not to this user, 0');
  });

  it('works on a disk that is full: claims, sessions, releases', async () => {
    const stateDir = tinyDisk('64k');
    const a = openLease(stateDir, 'a');
    const b = openLease(stateDir, 'b');
    fill(stateDir);
    const sessions = [
      {
        process: ownRecord('a').supervisor,
        kind: 'workload',
        active: true,
        keep: false,
        stopsWithSupervisor: false,
      },
    ] as const;
    expect(await granted(a.acquire(0))).toBe(1);
    a.local.setSessions(sessions);
    expect(b.local.listNodes().find(({ node }) => node === 'a')?.sessions).toEqual(sessions);
    expect(await a.advanceEpoch(0)).toBe(2);
    expect(a.verify()).toEqual({ type: 'held' });
    a.local.setSessions([]);
    await a.release();
    expect(await b.acquire(0)).toEqual({ type: 'granted', epoch: 3, previous: 'a', granted: null });
  });

  it('says that the disk is full where a new node can not be registered', () => {
    const stateDir = tinyDisk('64k');
    fill(stateDir);
    expect(failureOf(() => openLease(stateDir, 'a'))).toMatchObject({
      code: 'FAILOVER_STATE_DIR_FULL',
      exitCode: 1,
    });
  });

  it('goes on where not even a name is left: each node has kept one for a claim', async () => {
    const stateDir = tinyDisk('64k,nr_inodes=30');
    const a = openLease(stateDir, 'a');
    const b = openLease(stateDir, 'b');
    const freeNames = takeAllNames(stateDir);
    expect(await granted(a.acquire(0))).toBe(1);
    await a.release();
    expect(await b.acquire(0)).toEqual({ type: 'granted', epoch: 2, previous: 'a', granted: null });
    // From here on an old epoch goes for each new one.
    expect(await b.advanceEpoch(0)).toBe(3);
    await b.release();
    expect(await a.acquire(0)).toEqual({ type: 'granted', epoch: 4, previous: 'b', granted: null });
    freeNames();
    expect(await a.advanceEpoch(0)).toBe(5);
  });

  it('holds nothing where there is no room for a claim, and claims once there is', async () => {
    const stateDir = tinyDisk('64k,nr_inodes=20');
    const a = openLease(stateDir, 'a');
    const freeNames = takeAllNames(stateDir);
    expect(await granted(a.acquire(0))).toBe(1);
    await a.release();
    await expect(a.acquire(0)).rejects.toMatchObject({ code: 'FAILOVER_STATE_DIR_FULL' });
    expect(a.observe()).toMatchObject({ held: false, epoch: 1 });
    freeNames();
    expect(await granted(a.acquire(0))).toBe(2);
  });
});

it.skipIf(isRoot && !mayBeAnotherUser)('refuses a directory that this user can not write', () => {
  const stateDir = temporaryDirectory();
  chmodSync(stateDir, 0o755);
  const readOnly = join(stateDir, 'state');
  mkdirSync(readOnly, { mode: 0o555 });
  const built = join(import.meta.dirname, '../../../dist/lease/file/state-directory.js');
  const script = `import(${JSON.stringify(built)}).then(({ openStateDirectory }) => {
    try { openStateDirectory({ stateDir: ${JSON.stringify(readOnly)}, group: 'web' }); }
    catch (error) { console.log(error.code, error.message); }
  })`;
  // Root may write anywhere: the attempt is another user's then.
  const asOther = ['setpriv', '--reuid', '65534', '--clear-groups'];
  const command = [...(isRoot ? asOther : []), process.execPath, '-e', script];
  const { stdout } = spawnSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });
  expect(stdout.trim()).toBe(
    `FAILOVER_STATE_DIR_NOT_WRITABLE Cannot make ${readOnly}/web: permission denied`,
  );
});

/** A file system of its own, of a few kilobytes. */
function tinyDisk(size: string): string {
  const stateDir = temporaryDirectory();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', stateDir]);
  if (mounted.status !== 0) throw new Error(mounted.stderr.toString());
  onTestFinished(() => {
    spawnSync('umount', ['-l', stateDir]);
  });
  return stateDir;
}

function fill(directory: string): void {
  const { status } = spawnSync('dd', ['if=/dev/zero', `of=${join(directory, 'fill')}`, 'bs=1k']);
  if (status === 0) throw new Error('the disk is not full');
}

/** Until the file system has room for no further name; returns what frees them. */
function takeAllNames(directory: string): () => void {
  const made: string[] = [];
  for (;;) {
    const path = join(directory, `d${String(made.length)}`);
    if (spawnSync('mkdir', [path]).status !== 0) break;
    made.push(path);
  }
  return () => {
    for (const path of made) rmdirSync(path);
  };
}
