// Files that several machines see: opened for each use, since that is when a network file system asks its server.
import { randomBytes } from 'node:crypto';
import {
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '../file/storage-error.ts';

/** The content of a file; null: there is none. */
export async function contentOf(path: string): Promise<string | null> {
  return unlessMissing(readFile(path, 'utf8'));
}

/** The highest number among its names; null: it is not there. None is 0. */
export async function highestIn(
  directory: string,
  most: number = Number.MAX_SAFE_INTEGER,
): Promise<number | null> {
  const numbers = await numbersIn(directory);
  return numbers === null ? null : (numbers.find((number) => number <= most) ?? 0);
}

/** The highest number in a name: names are counted up from the first, so one beyond this is not ours. */
export const MOST_COUNTED: number = 2 ** 40;

/** The numbers among its names, the highest first; other names are not ours. */
export async function numbersIn(directory: string): Promise<readonly number[] | null> {
  const names = await unlessMissing(readdir(directory));
  if (names === null) return null;
  return names
    .filter((name) => NUMBER.test(name))
    .map(Number)
    .filter(Number.isSafeInteger)
    .sort((a, b) => b - a);
}

export async function namesIn(directory: string): Promise<readonly string[]> {
  return (await unlessMissing(readdir(directory))) ?? [];
}

/** Which directory it is; null: it is not there. */
export async function directoryIdOf(directory: string): Promise<string | null> {
  const stats = await unlessMissing(stat(directory, { bigint: true }));
  return stats === null ? null : `${String(stats.dev)}:${String(stats.ino)}`;
}

/** Which directory it is, and when a name in it changed last; null: it is not there. */
export async function identityOf(directory: string): Promise<string | null> {
  const stats = await unlessMissing(stat(directory, { bigint: true }));
  return stats === null ? null : `${String(stats.ino)}:${String(stats.ctimeNs)}`;
}

export async function exists(path: string): Promise<boolean> {
  return (await unlessMissing(stat(path))) !== null;
}

/**
 * Makes those of them that are missing, for their owner alone, and not what is above the first. Whether the last of them
 * was made here.
 */
export async function makeDirectories(paths: readonly string[]): Promise<boolean> {
  let isMade = false;
  for (const path of paths) {
    isMade = !(await exists(path)) && (await unlessThere(mkdir(path, { mode: 0o700 })));
    if (isMade) await settle(dirname(path));
  }
  return isMade;
}

/** Complete and on its disk when it returns; nobody looks for it by this name before. */
export async function writeAhead(path: string, content: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A reader sees the old or the new content. */
export async function replace(path: string, content: string): Promise<void> {
  await replaceBy(path, (temporary) => writeAhead(temporary, content));
}

/** The same for what is soon written anew: it waits for no disk, and after a loss of power may be empty. */
export async function refresh(path: string, content: string): Promise<void> {
  await replaceBy(path, (temporary) => writeFile(temporary, content, { mode: 0o600 }));
}

async function replaceBy(path: string, write: (path: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * Gives a file the name `to` unless that is given: true for one of all that try. A server that is asked twice, as its
 * first answer was lost, says that the name is given: what has it tells.
 */
export async function giveName(from: string, to: string): Promise<boolean> {
  if (await unlessThere(link(from, to))) return true;
  const [own, found] = await Promise.all([
    unlessMissing(stat(from, { bigint: true })),
    unlessMissing(stat(to, { bigint: true })),
  ]);
  return own !== null && own.dev === found?.dev && own.ino === found.ino;
}

/** The names in a directory outlive a loss of power. Where a file system knows no such order, its server sees to it. */
export async function settle(directory: string): Promise<void> {
  const file = await open(directory, 'r');
  try {
    await file.sync();
  } catch (error) {
    if (!WITHOUT_ORDER.has(errnoOf(error) ?? '')) throw error;
  } finally {
    await file.close();
  }
}

/** What can't be removed now goes another time. */
export async function removeAll(paths: readonly string[]): Promise<void> {
  await Promise.allSettled(paths.map((path) => rm(path, { force: true })));
}

const NUMBER = /^[1-9]\d{0,15}$/;

const WITHOUT_ORDER: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Whether something has the name already. */
export function isThere(error: unknown): boolean {
  return errnoOf(error) === 'EEXIST';
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** False: something has the name. */
async function unlessThere(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (isThere(error)) return false;
    throw error;
  }
}
