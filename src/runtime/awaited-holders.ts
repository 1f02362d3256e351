// Who is waited for with a lock file that was deleted: no lease shows them, so a person has to be told.
import type { EventBody } from '../core/event.ts';

export interface AwaitedHoldersParts {
  /** The processes that hold deleted lock files of this group. Looks at all processes: costs milliseconds. */
  readonly find: () => readonly { readonly pid: number }[];
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
    if (event.type === 'lease-granted') this.#warning = null;
    if (event.type === 'lease-observed' && event.observation.held) this.#warning = null;
    if (event.type !== 'lease-denied') return;
    const unseen = event.cause === 'held' && !event.observation.held;
    const warning = unseen ? this.#look() : null;
    if (warning !== null && warning !== this.#warning) this.#parts.warn(warning);
    this.#warning = warning;
  }

  /** What can't be looked at for now is looked at with the next denial: it only tells of a wait. */
  #look(): string | null {
    let pids: readonly number[];
    try {
      pids = this.#parts.find().map(({ pid }) => pid);
    } catch {
      return this.#warning;
    }
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
