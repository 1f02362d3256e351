// A process that has no descriptor, or a machine that has no memory left can't look; it must not take that for nobody being there.
import type fs from 'node:fs';
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { findLeftovers } from '../../src/fence/find-leftovers.ts';
import { clearLeftovers } from '../../src/fence/leftovers.ts';
import { findLockHolders } from '../../src/fence/lock-holders.ts';
import { pathOfDescriptor, targetOf } from '../../src/fence/open-files.ts';
import { isAlive, ownIdentity, readStat } from '../../src/fence/process-identity.ts';
import { readMark } from '../../src/fence/process-view.ts';
import { findDeletedLockHolders } from '../../src/lease/file/deleted-holders.ts';
import { listNodes } from '../../src/lease/file/node-registry.ts';
import { openLease, temporaryDirectory } from '../lease/support/fixtures.ts';
import { Stage, deadSupervisor, runs, session } from './stage.ts';

/** Which opens fail; and which looks fail for want of memory: reads of what is open, links and the state of a file. */
const exhausted = vi.hoisted(() => ({
  by: (path: string): boolean => path === '',
  looking: (path: string): boolean => path === '',
}));

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  const refuse = (path: unknown): void => {
    if (!exhausted.by(String(path))) return;
    throw Object.assign(new Error(`EMFILE: ${String(path)}`), { code: 'EMFILE' });
  };
  const lack = (path: unknown): void => {
    if (!exhausted.looking(String(path))) return;
    throw Object.assign(new Error(`ENOMEM: ${String(path)}`), { code: 'ENOMEM' });
  };
  const open = new Map<number, string>();
  return {
    ...original,
    openSync: (path: string, flags: string, mode?: number) => {
      refuse(path);
      const fd = original.openSync(path, flags, mode);
      open.set(fd, path);
      return fd;
    },
    readSync: (fd: number, ...rest: [Buffer, number, number, number]) => {
      lack(open.get(fd));
      return original.readSync(fd, ...rest);
    },
    readlinkSync: (path: string) => {
      lack(path);
      return original.readlinkSync(path);
    },
    statSync: (path: string, options: fs.StatSyncOptions) => {
      lack(path);
      return original.statSync(path, options);
    },
    readdirSync: (path: string) => {
      refuse(path);
      return original.readdirSync(path);
    },
    readFileSync: (path: string, encoding: BufferEncoding) => {
      refuse(path);
      return original.readFileSync(path, encoding);
    },
  };
});

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(async () => {
  exhausted.by = () => false;
  exhausted.looking = () => false;
  await stage.close();
});

it('a process that could not be looked at is not taken for one that is gone', () => {
  exhausted.by = (path) => path.startsWith('/proc/');
  expect(() => readStat(process.pid)).toThrow('EMFILE');
  expect(() => isAlive(ownIdentity())).toThrow('EMFILE');
});

it('a process whose state could not be read is not taken for one that is gone', () => {
  exhausted.looking = (path) => path === `/proc/${String(process.pid)}/stat`;
  expect(() => readStat(process.pid)).toThrow('ENOMEM');
});

it('what a process has open and could not be looked at is not taken for nothing', () => {
  const fd = openSync('/proc/self/stat', 'r');
  onTestFinished(() => {
    closeSync(fd);
  });
  const path = pathOfDescriptor(process.pid, fd);
  exhausted.looking = (looked) => looked === path;
  expect(() => targetOf(process.pid, fd)).toThrow('ENOMEM');
  expect(targetOf(process.pid, 1_000_000)).toBe('');
});

it('a process of the group that could not be told is not taken for a stranger', async () => {
  const actor = await stage.start('echo ready; exec sleep 1000', { env: stage.mark('a') });
  const { pid } = actor.identity;
  expect(readMark(pid, stage)).not.toBeNull();
  exhausted.looking = (path) => path.startsWith(`/proc/${String(pid)}/root/`);
  expect(() => readMark(pid, stage)).toThrow('ENOMEM');
});

it('a session that could not be looked at is not taken for an empty one', async () => {
  const actor = await stage.start('echo ready; exec sleep 1000');
  stage.addNode('a', deadSupervisor(), [session(actor)]);
  const graces = { fenceGraceMs: 0, stopGraceMs: 0 };
  const { signal } = new AbortController();
  for (const path of [`/proc/${String(actor.identity.pid)}/stat`, '/proc']) {
    exhausted.by = (opened) => opened === path;
    expect(() => findLeftovers(stage.sources, graces), path).toThrow('EMFILE');
    await expect(clearLeftovers(stage.sources, graces, signal), path).rejects.toThrow('EMFILE');
  }
  exhausted.by = () => false;
  expect(runs(actor.identity.pid)).toBe(true);
});

it('nodes that could not be listed are not taken for none', () => {
  const { paths } = openLease(temporaryDirectory(), 'a');
  expect(listNodes(paths)).toHaveLength(1);
  for (const part of ['/nodes', '.json']) {
    exhausted.by = (path) => path.startsWith(paths.directory) && path.endsWith(part);
    expect(() => listNodes(paths), part).toThrow('EMFILE');
  }
});

it('a holder of a lock that could not be looked at is not taken for none', () => {
  const path = stage.workloadLock.path;
  const holder = stage.workloadLock.open();
  onTestFinished(() => {
    holder.close();
  });
  expect(holder.tryLock()).toBe(true);
  const own = `/proc/${String(process.pid)}`;
  for (const failing of [`${own}/fdinfo`, `${own}/fdinfo/${String(holder.fd)}`]) {
    exhausted.by = (opened) => opened === failing;
    expect(() => findLockHolders(path), failing).toThrow('EMFILE');
  }
  exhausted.by = () => false;
  for (const failing of [own, `${own}/fdinfo/${String(holder.fd)}`]) {
    exhausted.looking = (looked) => looked === failing;
    expect(() => findLockHolders(path, [process.pid]), failing).toThrow('ENOMEM');
  }
  exhausted.looking = () => false;
  exhausted.by = () => false;
  expect(findLockHolders(path)).toEqual([{ pid: process.pid, fd: holder.fd }]);
});

it('who holds a lock that was removed with its directory is not taken for nobody', () => {
  const directory = join(stage.stateDir, stage.group);
  const holder = stage.workloadLock.open();
  onTestFinished(() => {
    holder.close();
  });
  expect(holder.tryLock()).toBe(true);
  rmSync(stage.workloadLock.path);
  const own = `/proc/${String(process.pid)}`;
  for (const failing of [`${own}/fd`, `${own}/fdinfo/${String(holder.fd)}`]) {
    exhausted.by = (opened) => opened === failing;
    expect(() => findDeletedLockHolders(directory), failing).toThrow('EMFILE');
  }
  exhausted.by = () => false;
  expect(findDeletedLockHolders(directory).map(({ pid }) => pid)).toEqual([process.pid]);
});
