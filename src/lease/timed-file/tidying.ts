// Removes what nobody needs any more of a timed lease: later, as a takeover does not wait for it.
import { join } from 'node:path';
import { namesIn, numbersIn, removeAll } from './shared-files.ts';
import type { TimedPaths } from './timed-paths.ts';

/** Far more than can be claimed while one that was stopped in the middle of a claim is forgotten. */
const KEPT = 64;

/** Longer than a takeover takes. */
const DELAY_MS = 200;

interface Present {
  readonly turn: number;
  readonly beat: string;
}

export class Tidying {
  readonly #paths: TimedPaths;
  #timer: NodeJS.Timeout | null = null;

  constructor(paths: TimedPaths) {
    this.#paths = paths;
  }

  /** @param request how anything is asked of the files */
  soon(present: Present, request: (act: () => Promise<void>) => Promise<void>): void {
    this.close();
    this.#timer = setTimeout(() => {
      // What can't be removed now goes after the next claim.
      request(() => this.#tidy(present)).catch(() => undefined);
    }, DELAY_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #tidy({ turn, beat }: Present): Promise<void> {
    const { turns, epochs, starts, claims, beats } = this.#paths;
    for (const directory of [turns, epochs, starts]) {
      const old = ((await numbersIn(directory)) ?? []).slice(KEPT);
      await removeAll(old.map((number) => join(directory, String(number))));
    }
    for (const directory of [claims, beats]) {
      const old = (await namesIn(directory)).filter((name) => {
        const number = Number(/^(\d+)-/.exec(name)?.[1] ?? Number.NaN);
        return number < turn - KEPT && name !== beat;
      });
      await removeAll(old.map((name) => join(directory, name)));
    }
  }
}
