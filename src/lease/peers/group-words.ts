// What people and the work of a group have said to all of it, as this node knows it: the latest word counts.
import type { Peer } from '../../core/peer-table.ts';
import { laterWord, readAbout } from './about.ts';
import type { GroupWord } from './about.ts';
import type { KeptWord } from './kept-word.ts';

export class GroupWords {
  readonly #kept: KeptWord;
  readonly #node: string;
  #latest: GroupWord;
  /** The latest completion that is not this node's business: it began after that. */
  #completedBefore: number;

  constructor(kept: KeptWord, node: string) {
    this.#kept = kept;
    this.#node = node;
    this.#latest = kept.read();
    this.#completedBefore = this.#latest.completed;
  }

  get latest(): GroupWord {
    return this.#latest;
  }

  /** Whether the work of the group was completed while this node was there. */
  get isCompleted(): boolean {
    return this.#latest.completed > this.#completedBefore;
  }

  /** Says it, for the others to hear with the next heartbeat. @throws FAILOVER_STATE_DIR_NOT_WRITABLE */
  say(said: Partial<Pick<GroupWord, 'pausedBy' | 'completed'>>): void {
    const { number } = this.#latest;
    const word = { ...this.#latest, ...said, number: number + 1, node: this.#node };
    this.#kept.write(word);
    this.#latest = word;
  }

  /** @param isNew it has only just begun: what was completed before is not what it waits for */
  hear(peers: readonly Peer[], isNew: boolean): void {
    const words = peers.map((peer) => readAbout(peer).word);
    const word = words.reduce(laterWord, this.#latest);
    if (word === this.#latest) return;
    if (isNew) this.#completedBefore = word.completed;
    this.#latest = word;
    try {
      this.#kept.write(word);
    } catch {
      // Another node has it, or the next word is kept.
    }
  }
}
