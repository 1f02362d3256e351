// Whoever cleans up after a harness that was killed: a process of its own, told what there is.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Group } from '../support/process-group.ts';

const HOOK = pathToFileURL(join(import.meta.dirname, '..', 'support', 'typescript.js')).href;

export class Cleaner {
  readonly #child: ChildProcess;

  constructor() {
    const program = join(import.meta.dirname, 'reaper.ts');
    // A session of its own: Ctrl-C at the terminal is not for it.
    this.#child = spawn(process.execPath, ['--import', HOOK, program], {
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.unref();
  }

  begin({ mark, directory }: Group): void {
    this.#child.stdin?.write(`begin ${mark} ${directory}\n`);
  }

  done({ mark }: Group): void {
    this.#child.stdin?.write(`done ${mark}\n`);
  }

  /** Nothing is left that it would have to end. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once('exit', () => {
        resolve();
      });
      this.#child.ref();
      this.#child.stdin?.end();
    });
  }
}
