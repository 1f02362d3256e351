// Who may connect: this node's own key, and those in a file, which is read again when it changes.
import { statSync } from 'node:fs';
import { FailoverError } from '../errors.ts';
import { readAuthorizedKeys } from './key-files.ts';

export class AuthorizedKeys {
  readonly #own: string;
  readonly #path: string | null;
  #listed: ReadonlySet<string> = new Set();
  #stamp = '';
  #problem: string | null = null;

  /** @throws FAILOVER_BAD_KEY_FILE when the file can't be used now; later on the last list is kept */
  constructor(own: string, path: string | null) {
    this.#own = own;
    this.#path = path;
    if (path === null) return;
    this.#stamp = stampOf(path);
    this.#listed = readAuthorizedKeys(path);
  }

  /** Why the file as it is now is not the list that counts; null: it is. */
  get problem(): string | null {
    return this.#problem;
  }

  has(key: string): boolean {
    this.#readIfChanged();
    return key === this.#own || this.#listed.has(key);
  }

  #readIfChanged(): void {
    if (this.#path === null) return;
    const stamp = stampOf(this.#path);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#listed = readAuthorizedKeys(this.#path);
      this.#problem = null;
    } catch (error) {
      if (!(error instanceof FailoverError)) throw error;
      this.#problem = `${error.message}; the previous keys stay in effect`;
    }
  }
}

/** What tells that a file was changed or replaced; of one that is not there it is a word. */
function stampOf(path: string): string {
  try {
    const { ino, size, mode, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [ino, size, mode, mtimeNs, ctimeNs].join(' ');
  } catch {
    return 'none';
  }
}
