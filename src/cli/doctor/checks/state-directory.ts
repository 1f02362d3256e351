// The state directory: whose it is, on which file system, and how much room there is.
import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import type { Stats, StatsFs } from 'node:fs';
import { join } from 'node:path';
import { FailoverError } from '../../../errors.ts';
import { fileSystemName, refuseRemoteFileSystem } from '../../../lease/file/file-system-kind.ts';
import type { ReadFileSystemType } from '../../../lease/file/file-system-kind.ts';
import { storageError } from '../../../lease/file/storage-error.ts';
import { failure, NotTried, ok, warning } from '../check.ts';
import type { Check, Finding } from '../check.ts';
import type { Place } from '../place.ts';
import type { Workshop } from '../workshop.ts';

export const STATE_DIRECTORY_CHECKS: readonly Check[] = [
  {
    id: 'state-directory',
    question: "Can this user write to the state directory and the group's directory in it?",
    run: lookAtDirectories,
  },
  {
    id: 'file-system',
    question: 'Is its file system known to be local, with locks kept by this kernel alone?',
    run: ({ workshop }) => lookAtFileSystem(workshop.base),
  },
  {
    id: 'disk-space',
    question: 'Does it have free space?',
    run: ({ workshop }) => judgeSpace(workshop.base, statfsSync(workshop.base)),
  },
  {
    id: 'inodes',
    question: 'Does it have free inodes?',
    run: ({ workshop }) => judgeInodes(workshop.base, statfsSync(workshop.base)),
  },
];

function lookAtDirectories({ stateDir, group, workshop }: Place): Finding {
  const { base } = workshop;
  const found = statSync(base);
  if (!found.isDirectory()) {
    return failure(
      `${base} is not a directory`,
      'Remove what is in the way, or point --state-dir at another directory.',
    );
  }
  try {
    accessSync(base, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { message } = storageError(`write in ${base}`, error);
    return failure(
      message,
      `Point --state-dir at a directory that this user can write to, or run the node as user ${String(found.uid)}.`,
    );
  }
  const problem = tryToMake(workshop);
  if (problem !== null) return problem;
  if (base !== stateDir) return ok(`${stateDir} does not exist yet, and can be created in ${base}`);
  const isOpen = (found.mode & 0o022) !== 0 && (found.mode & 0o1000) === 0;
  if (isOpen) {
    return warning(
      `Others may remove groups from ${stateDir} (mode ${modeOf(found)})`,
      `Run \`chmod go-w ${stateDir}\`.`,
    );
  }
  return (
    lookAtGroup(join(stateDir, group)) ?? ok(`${stateDir} can be written (mode ${modeOf(found)})`)
  );
}

/** A file system may say that it can be written, and take no names of ours (/proc). */
function tryToMake(workshop: Workshop): Finding | null {
  try {
    workshop.path('');
    return null;
  } catch (error) {
    if (!(error instanceof NotTried)) throw error;
    const fact = error.message.charAt(0).toUpperCase() + error.message.slice(1);
    return failure(fact, 'Point --state-dir at a directory that this user can write to.');
  }
}

/** Null: there is nothing to say against it. */
function lookAtGroup(directory: string): Finding | null {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found === undefined) return null;
  const own = process.geteuid?.() ?? found.uid;
  if (found.uid !== own) {
    return failure(
      `${directory} belongs to user ${String(found.uid)}, not to this user, ${String(own)}`,
      `Run the node as user ${String(found.uid)}, or give another --state-dir.`,
    );
  }
  if ((found.mode & 0o077) === 0) return null;
  return warning(
    `${directory} is open to others (mode ${modeOf(found)})`,
    `Run \`chmod 700 ${directory}\`; a node does so when it starts.`,
  );
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

const NOT_LOCAL =
  'Point --state-dir at a local file system; for nodes with --lease-ttl, use `--lease file:` with the directory they share.';

/** Exported for its tests. */
export function lookAtFileSystem(base: string, readType?: ReadFileSystemType): Finding {
  try {
    refuseRemoteFileSystem(base, readType);
  } catch (error) {
    // What a node is told to do is no advice for whoever only asks about it.
    if (error instanceof FailoverError) return failure(error.message, NOT_LOCAL);
    throw error;
  }
  return ok(`${base} is on ${fileSystemName(base, readType)}, which is local`);
}

type Room = Pick<StatsFs, 'bavail' | 'bsize' | 'files' | 'ffree'>;

/** Exported for its tests. */
export function judgeSpace(base: string, { bavail, bsize }: Room): Finding {
  const freeMiB = Math.floor((bavail * bsize) / 2 ** 20);
  const fact = `${String(freeMiB)} MiB are free on the file system of ${base}`;
  if (freeMiB < 1) return failure(fact, 'Free up space on it: records cannot be written.');
  if (freeMiB < LITTLE_MIB) return warning(fact, 'Free up space on it before it is full.');
  return ok(fact);
}

/** A group takes some MiB for its journals. */
const LITTLE_MIB = 64;

/** Exported for its tests. */
export function judgeInodes(base: string, { files, ffree }: Room): Finding {
  // Btrfs makes them as they are needed, and counts none.
  if (files === 0) return ok(`The file system of ${base} sets no limit on names`);
  const fact = `${String(ffree)} of ${String(files)} inodes are free on the file system of ${base}`;
  if (ffree < FEWEST_INODES) return failure(fact, 'Remove files on it: records cannot be created.');
  if (ffree < FEW_INODES) return warning(fact, 'Remove files on it before none is left.');
  return ok(fact);
}

/** What one node makes, and what some groups take. */
const FEWEST_INODES = 16;
const FEW_INODES = 1_000;
