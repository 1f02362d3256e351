// What was said to the group, kept in this node's directory: a pause outlives all nodes that know of it.
import { join } from 'node:path';
import { parseJson, readBounded, replaceFileMeanwhile } from '../file/durable-file.ts';
import type { GroupPaths } from '../file/group-paths.ts';
import { NO_WORD, readWord } from './about.ts';
import type { GroupWord } from './about.ts';

export class KeptWord {
  readonly #path: string;
  #latest: GroupWord = NO_WORD;
  #writing: Promise<void> = Promise.resolve();
  /** What comes after that; null: nothing is waited for. */
  #next: Promise<void> | null = null;

  constructor({ marks }: Pick<GroupPaths, 'marks'>) {
    this.#path = join(marks, 'said');
  }

  read(): GroupWord {
    return readWord(parseJson(readBounded(this.#path, LIMIT_BYTES) ?? ''));
  }

  /**
   * One at a time, and of those that come meanwhile the last; resolves when that is on the disk.
   *
   * @throws when the disk does not take it
   */
  write(word: GroupWord): Promise<void> {
    this.#latest = word;
    this.#next ??= this.#writing.then(() => {
      this.#next = null;
      const written = replaceFileMeanwhile(this.#path, JSON.stringify(this.#latest));
      this.#writing = written.catch(() => undefined);
      return written;
    });
    return this.#next;
  }
}

const LIMIT_BYTES = 4096;
