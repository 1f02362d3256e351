// Who is waited for with a lock file that was deleted: no lease shows them, so a person has to be told.
import type { Event } from '../core/event.ts';

export interface AwaitedHoldersParts {
  /** A process in words, with its command. */
  readonly describe: (pid: number) => string;
  readonly warn: (message: string) => void;
}

/** Follows what becomes of this node's claims; told of in the log when it begins and when it changes. */
export class AwaitedHolders {
  readonly #parts: AwaitedHoldersParts;
  #warning: string | null = null;
  /** Since when each look has shown somebody, on the node's clock, ms. */
  #sinceMs: number | null = null;

  constructor(parts: AwaitedHoldersParts) {
    this.#parts = parts;
  }

  /** For `status`; null: nobody is waited for. */
  get warning(): string | null {
    return this.#warning;
  }

  after(event: Event): void {
    switch (event.type) {
      case 'lease-granted':
        this.#warning = null;
        return;
      case 'lease-observed': {
        const { waitsFor = [] } = event.observation;
        this.#sinceMs = waitsFor.length === 0 ? null : (this.#sinceMs ?? event.at);
        // Most have ended before a claim is made, and nobody need hear of them. But a node makes none whose hot
        // standby does not run, as its lock file is not made before they have ended.
        const lasts = this.#sinceMs !== null && event.at - this.#sinceMs >= PATIENCE_MS;
        if (this.#warning !== null || lasts) this.#waitFor(waitsFor);
        return;
      }
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
      ? `no node starts until ${who} has exited: it holds a deleted lock file of this group. Stop it with ${kill} if it is not needed`
      : `no node starts until ${who} have exited: they hold deleted lock files of this group. Stop them with ${kill} if they are not needed`;
  }
}

/** How long somebody is there before it is said without a claim, ms. */
const PATIENCE_MS = 1_000;

/** The most processes that one message names. */
const NAMED = 5;
