// The ground taken away: parts of the state directory and sockets removed, replaced or spoiled.
import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Arena } from '../arena.ts';
import { chosen } from './fault.ts';
import type { Perform } from './fault.ts';

export const removeStateDir: Perform = (arena) =>
  done(() => {
    arena.judge.noteForgetting();
    // What is mounted can't be removed: then all that is in it.
    const { stateDir } = arena.group;
    if (arena.plan.smallDisk)
      for (const name of namesIn(stateDir)) remove(arena, join(stateDir, name));
    else remove(arena, stateDir);
    return 'the state directory removed';
  });

export const removeGroupDir: Perform = (arena) =>
  done(() => {
    arena.judge.noteForgetting();
    remove(arena, arena.group.groupDir);
    return "the group's directory removed";
  });

export const replaceGroupDir: Perform = (arena, fault) =>
  done(() => {
    arena.judge.noteForgetting();
    const { groupDir } = arena.group;
    renameSync(groupDir, `${groupDir}-old-${fault.choice}-${Date.now()}`);
    try {
      mkdirSync(groupDir, { mode: 0o700 });
      own(arena, groupDir);
    } catch {
      // A node was faster.
    }
    return "the group's directory moved away and made anew, empty";
  });

export const removeEpochs: Perform = removing('epochs');
export const removeNodes: Perform = removing('nodes');
export const removeClaims: Perform = removing('claims');
export const removeMarks: Perform = removing('marks');

const LOCK_FILES = ['primary.lock', 'workload.lock', 'primary.lock.lock'] as const;

export const removeLockFile: Perform = (arena, fault) =>
  done(() => {
    const name = chosen(LOCK_FILES, fault) ?? 'primary.lock';
    remove(arena, join(arena.group.groupDir, name));
    return `${name} removed`;
  });

export const replaceLockFile: Perform = (arena, fault) =>
  done(() => {
    const name = chosen(LOCK_FILES.slice(0, 2), fault) ?? 'primary.lock';
    const path = join(arena.group.groupDir, name);
    const fresh = `${path}.fresh`;
    writeFileSync(fresh, '', { mode: 0o600 });
    own(arena, fresh);
    renameSync(fresh, path);
    return `${name} replaced by an empty file`;
  });

/** Overwrites one record with bytes that are none. */
export const spoilRecords: Perform = (arena, fault) =>
  done(() => {
    const directory = chosen(['nodes', 'claims', 'epochs'], fault) ?? 'nodes';
    const name = chosen(namesIn(join(arena.group.groupDir, directory)), fault);
    if (name === undefined) return 'skipped: no record';
    const text = chosen(['', '{"v":1', '\0\0\0\0', '[]', '{"v":99}'], fault) ?? '';
    writeFileSync(join(arena.group.groupDir, directory, name), text);
    return `${directory}/${name} overwritten with ${JSON.stringify(text)}`;
  });

export const removeSockets: Perform = (arena, fault) =>
  done(() => {
    arena.group.noteSockets();
    const node = chosen(arena.living, fault);
    if (node === undefined) return 'skipped: no node';
    for (const path of arena.group.socketsOf(node)) rmSync(path, { force: true });
    return `the sockets of ${node.id} removed`;
  });

export const removeSocketDir: Perform = (arena) =>
  done(() => {
    if (arena.uid === null) return 'skipped: the socket directory is not ours alone';
    remove(arena, arena.group.path('run/failover'));
    return 'the socket directory removed';
  });

function removing(name: string): Perform {
  return (arena) =>
    done(() => {
      remove(arena, join(arena.group.groupDir, name));
      return `${name}/ removed`;
    });
}

/** What was there to act on may have been removed by another fault. */
function done(act: () => string): Promise<string> {
  try {
    return Promise.resolve(act());
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return Promise.resolve(`skipped: ${error.message}`);
  }
}

function remove(arena: Arena, path: string): void {
  arena.group.remove(path);
}

function own({ uid }: Arena, path: string): void {
  if (uid !== null) chownSync(path, uid, uid);
}

function namesIn(directory: string): string[] {
  return readdirSync(directory).sort();
}
