// What was said to the group, kept in this node's directory: a pause outlives all nodes that know of it.
import { join } from 'node:path';
import { parseJson, readBounded, replaceFile } from '../file/durable-file.ts';
import type { GroupPaths } from '../file/group-paths.ts';
import { readWord } from './about.ts';
import type { GroupWord } from './about.ts';

export class KeptWord {
  readonly #path: string;

  constructor({ marks }: Pick<GroupPaths, 'marks'>) {
    this.#path = join(marks, 'said');
  }

  read(): GroupWord {
    return readWord(parseJson(readBounded(this.#path, LIMIT_BYTES) ?? ''));
  }

  /** @throws when the disk does not take it */
  write(word: GroupWord): void {
    replaceFile(this.#path, JSON.stringify(word));
  }
}

const LIMIT_BYTES = 4096;
