// Writes that survive: replaced as a whole, flushed with their directory, or overwritten in place.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { isOutOfResources } from '../../out-of-resources.ts';

/** Replaces a file as a whole; a reader sees the old or the new text. Durable when it returns. */
export function replaceFile(path: string, content: string | Buffer): void {
  closeSync(exchange(path, content, fsyncSync));
  syncDirectory(dirname(path));
}

/** As `replaceFile`, flushed on another thread. */
export async function replaceFileMeanwhile(path: string, content: string): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    const fd = openSync(temporary, 'w', 0o600);
    try {
      writeFileSync(fd, content);
      await promisify(fsync)(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  await syncDirectoryMeanwhile(dirname(path));
}

/**
 * As `replaceFile` for what means nothing after a power loss: of a process, or of a lock it holds. The new
 * file stays open, and is prepared before anybody finds it by its name.
 */
export function replaceOpenFile(
  path: string,
  content: string | Buffer,
  prepare: (fd: number) => void,
): number {
  return exchange(path, content, prepare);
}

/** Where something is written that gets the name `path` once it is complete; nobody else writes there. */
export function temporaryPath(path: string): string {
  return `${path}.${String(process.pid)}.${randomBytes(6).toString('hex')}.tmp`;
}

/** Which name was to be given, and who was to give it; null: it is no name of `temporaryPath`. */
export function temporaryWriter(
  name: string,
): { readonly name: string; readonly pid: number } | null {
  const [, given, pid] = /^(.+)\.([1-9]\d{0,9})\.[0-9a-f]{12}\.tmp$/.exec(name) ?? [];
  return given === undefined ? null : { name: given, pid: Number(pid) };
}

/** Makes the names of a directory durable: without it a power loss can take a new name back. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** As `syncDirectory`, on another thread. */
export async function syncDirectoryMeanwhile(directory: string): Promise<void> {
  const fd = openSync(directory, 'r');
  try {
    await promisify(fsync)(fd);
  } finally {
    closeSync(fd);
  }
}

/** Text padded with spaces, so that overwriting in place leaves nothing of what was there before. */
export function padded(text: string, sizeBytes: number): Buffer {
  const content = Buffer.alloc(sizeBytes, ' ');
  content.write(text);
  return content;
}

/** Overwrites a file from its start with one call: within one page a killed writer tears nothing. */
export function overwrite(fd: number, content: Buffer): void {
  writeSync(fd, content, 0, content.length, 0);
}

/**
 * At most `limitBytes` of a file; null: there is none, it is no file, or it can't be read. A pipe in its
 * place keeps nobody waiting.
 *
 * @throws the system's error when it has nothing left to read with: that is not "there is none"
 */
export function readBounded(path: string, limitBytes: number): string | null {
  return readFile(path, (fd) => readDescriptor(fd, limitBytes));
}

/** Reads like `readBounded`, but with a reader of the caller's own. */
export function readFile<T>(path: string, read: (fd: number) => T): T | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return null;
  }
  try {
    return fstatSync(fd).isFile() ? read(fd) : null;
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return null;
  } finally {
    closeSync(fd);
  }
}

export function readDescriptor(fd: number, limitBytes: number): string {
  // Made once for what is read a thousand times: a record, a note, a mark.
  const content = limitBytes <= common.length ? common : Buffer.allocUnsafe(limitBytes);
  const length = readSync(fd, content, 0, limitBytes, 0);
  return content.toString('utf8', 0, length);
}

const common = Buffer.alloc(8192);

/** The descriptor of the new file. */
function exchange(path: string, content: string | Buffer, prepare: (fd: number) => void): number {
  const temporary = temporaryPath(path);
  let fd: number | null = null;
  try {
    fd = openSync(temporary, 'w+', 0o600);
    writeFileSync(fd, content);
    prepare(fd);
    renameSync(temporary, path);
    return fd;
  } catch (error) {
    if (fd !== null) closeSync(fd);
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The value of a JSON text; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown; // JSON.parse is typed `any`: nothing is known of it yet
  } catch {
    return undefined;
  }
}
