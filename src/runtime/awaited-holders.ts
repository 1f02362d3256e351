// Who is waited for with a lock file that was deleted: no lease shows them, so a person has to be told.
import type { EventBody } from '../core/event.ts';

export interface AwaitedHoldersParts {
  /** A process in words, with its command. */
  readonly describe: (pid: number) => string;
  readonly warn: (message: string) => void;
}

/** Follows what becomes of this node's claims; told of in the log when it begins and when it changes. */
export class AwaitedHolders {
  readonly #parts: AwaitedHoldersParts;
  #warning: string | null = null;

  constructor(parts: AwaitedHoldersParts) {
    this.#parts = parts;
  }

  /** For `status`; null: nobody is waited for. */
  get warning(): string | null {
    return this.#warning;
  }

  after(event: EventBody): void {
    switch (event.type) {
      case 'lease-granted':
        this.#warning = null;
        return;
      case 'lease-observed':
        // Most have ended before a claim is made, and nobody need hear of them.
        if (this.#warning !== null) this.#waitFor(event.observation.waitsFor ?? []);
        return;
      case 'lease-denied':
        this.#waitFor(event.observation.held ? [] : event.waitsFor);
        return;
      default:
        return;
    }
  }

  #waitFor(pids: readonly number[]): void {
    const warning = this.#warningOf(pids);
    if (warning !== null && warning !== this.#warning) this.#parts.warn(warning);
    this.#warning = warning;
  }

  #warningOf(pids: readonly number[]): string | null {
    if (pids.length === 0) return null;
    const named = pids.slice(0, NAMED);
    const more = pids.length > NAMED ? ` and ${String(pids.length - NAMED)} more` : '';
    const who = `${named.map((pid) => this.#parts.describe(pid)).join(', ')}${more}`;
    const kill = `\`kill ${named.join(' ')}\``;
    return pids.length === 1
      ? `nobody starts until ${who} has ended: it holds a lock file of this group that was deleted. ` +
          `End it with ${kill} if it is not to go on`
      : `nobody starts until ${who} have ended: they hold lock files of this group that were deleted. ` +
          `End them with ${kill} if they are not to go on`;
  }
}

/** The most processes that one message names. */
const NAMED = 5;
