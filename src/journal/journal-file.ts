// The file of one run: appended to, never above its size, and never in the way when it can't be written.
import { constants } from 'node:fs';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Beyond this a file is put aside as `<run>.1.jsonl`, over the one before it. */
export const FILE_LIMIT_BYTES: number = 256 * 1024;

export interface JournalPaths {
  readonly directory: string;
  readonly current: string;
  readonly former: string;
}

export function journalPaths(directory: string, run: string): JournalPaths {
  const current = join(directory, `${run}.jsonl`);
  return { directory, current, former: join(directory, `${run}.1.jsonl`) };
}

/** Each append opens the file anew: one that was removed, or whose directory was, is made again. */
export class JournalFile {
  readonly paths: JournalPaths;
  readonly #limitBytes: number;
  /** What each new file begins with. */
  readonly #head: () => string;
  /** The last write may have left half a line. */
  #isTorn = false;
  /** That may have been half of what a file begins with. */
  #lacksHead = false;

  constructor(paths: JournalPaths, head: () => string, limitBytes: number = FILE_LIMIT_BYTES) {
    this.paths = paths;
    this.#head = head;
    this.#limitBytes = limitBytes;
  }

  /**
   * Appends lines; resolves with whether a new file was begun. What exceeds the limit of a whole file is not
   * written.
   *
   * @throws the system's error: a part may have been written
   */
  async append(text: string): Promise<boolean> {
    const sizeBytes = await this.#size();
    const addedBytes = Buffer.byteLength(text);
    const isFull = sizeBytes !== null && sizeBytes + addedBytes > this.#limitBytes;
    if (isFull) await rename(this.paths.current, this.paths.former);
    const isNew = isFull || sizeBytes === null || sizeBytes === 0;
    const separator = !isNew && this.#isTorn ? '\n' : '';
    this.#lacksHead ||= isNew;
    this.#isTorn = true;
    await this.#write(separator + (this.#lacksHead ? this.#head() : '') + text);
    this.#isTorn = false;
    this.#lacksHead = false;
    return isNew;
  }

  async #size(): Promise<number | null> {
    try {
      return (await stat(this.paths.current)).size;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async #write(text: string): Promise<void> {
    const { directory, current } = this.paths;
    const file = await open(current, APPEND, 0o600).catch(async (error: unknown) => {
      if (!isMissing(error)) throw error;
      // Its own directory only: that of the group is made by those who know what has to be in it.
      await mkdir(directory, { mode: 0o700 }).catch(unlessThere);
      return open(current, APPEND, 0o600);
    });
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  }
}

/** A pipe in its place is refused, and keeps nobody waiting. */
const APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Another node of the group was faster. */
function unlessThere(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}
