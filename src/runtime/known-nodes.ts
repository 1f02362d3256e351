// What a node remembers of the records of others: somebody may remove one, and then nothing else tells what is left.
import type { NodeRecord } from '../lease/lease-store.ts';

export class KnownNodes {
  readonly #known = new Map<string, NodeRecord>();

  /** The nodes on record now, and those that were: the latest of each run. */
  with(listed: readonly NodeRecord[]): readonly NodeRecord[] {
    for (const node of listed) {
      // The latest last: what is dropped is what was not seen for longest.
      this.#known.delete(node.run);
      this.#known.set(node.run, node);
    }
    for (const run of this.#known.keys()) {
      if (this.#known.size <= MOST_KNOWN) break;
      this.#known.delete(run);
    }
    return [...this.#known.values()];
  }

  /** Nothing of these runs is left. */
  forget(runs: ReadonlySet<string>): void {
    for (const run of runs) this.#known.delete(run);
  }
}

/** Far more than a group has nodes. */
const MOST_KNOWN = 256;
