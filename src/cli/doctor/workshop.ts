// A directory in which checks make what they try: where a node would make its own, and gone afterwards.
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../lease/file/storage-error.ts';
import { NotTried } from './check.ts';

export class Workshop {
  readonly #stateDir: string;
  readonly #cleanings: (() => void)[] = [];
  #directory: string | null = null;
  #isCleared = false;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /** The state directory, or what is nearest above it: it would be made there, on the same file system. */
  get base(): string {
    let base = this.#stateDir;
    while (!existsSync(base) && dirname(base) !== base) base = dirname(base);
    return base;
  }

  /** @throws NotTried where nothing can be made */
  path(name: string): string {
    return join(this.#made(), name);
  }

  /** What has to be undone should the process be told to end. */
  onClear(clean: () => void): void {
    if (this.#isCleared) clean();
    else this.#cleanings.push(clean);
  }

  clear(): void {
    this.#isCleared = true;
    for (const clean of this.#cleanings.splice(0)) clean();
    if (this.#directory !== null) rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = null;
  }

  #made(): string {
    if (this.#isCleared) throw new NotTried('it was too late', FIRST);
    if (this.#directory !== null) return this.#directory;
    const { base } = this;
    try {
      accessSync(base, constants.W_OK | constants.X_OK);
      // No group has such a name: nobody takes it for one.
      this.#directory = mkdtempSync(join(base, `${PREFIX}${String(process.pid)}-`));
    } catch (error) {
      const why = errnoOf(error) ?? String(error);
      throw new NotTried(`nothing can be created in ${base} (${why})`, FIRST);
    }
    return this.#directory;
  }
}

/** What says so. */
const FIRST = 'state-directory';

const PREFIX = '~doctor-';
