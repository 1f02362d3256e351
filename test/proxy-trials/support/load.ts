// The process that sends the requests of a trial, and what it tells of them.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Of the requests that have ended since the report before. */
export interface LoadReport {
  readonly safe: number;
  readonly unsafe: number;
  readonly repeated: number;
  readonly longestMs: number;
  /** The longest that one was held, as its answer says. */
  readonly heldMs: number;
  /** The highest that answered. */
  readonly epoch: number;
  readonly lost: readonly LostRequest[];
  readonly underWay: number;
  readonly sent: number;
}

export interface LostRequest {
  readonly id: string;
  readonly method: string;
  /** Status and code of the answer in its place; `reset: …`: there was none. */
  readonly how: string;
  readonly tookMs: number;
}

const PROGRAM = join(import.meta.dirname, 'generator.js');

export class Load {
  readonly #child: ChildProcess;
  readonly #waiting: ((report: LoadReport) => void)[] = [];

  constructor(port: number, rate: number, env: NodeJS.ProcessEnv) {
    const words = [PROGRAM, String(port), String(rate)];
    this.#child = spawn(process.execPath, words, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#child.stdout ?? process.stdin });
    lines.on('line', (line) => {
      // Written by our own program.
      this.#waiting.shift()?.(JSON.parse(line) as LoadReport);
    });
  }

  report(): Promise<LoadReport> {
    return this.#ask('report');
  }

  /** Resolves when all that was sent has ended. */
  end(): Promise<LoadReport> {
    return this.#ask('end');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #ask(command: string): Promise<LoadReport> {
    return new Promise((resolve, reject) => {
      this.#child.once('exit', () => {
        reject(new Error('the load has ended by itself'));
      });
      this.#waiting.push((report) => {
        this.#child.removeAllListeners('exit');
        resolve(report);
      });
      this.#child.stdin?.write(`${command}\n`);
    });
  }
}
