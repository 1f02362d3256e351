// What people and the work of a group have said to all of it, as this node knows it: the latest word counts.
import type { Peer } from '../../core/peer-table.ts';
import { laterWord, readAbout } from './about.ts';
import type { GroupWord } from './about.ts';
import type { KeptWord } from './kept-word.ts';

export class GroupWords {
  readonly #kept: KeptWord;
  readonly #node: string;
  #latest: GroupWord;
  #saying: Promise<void> = Promise.resolve();
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

  /**
   * Says it, for the others to hear with the next heartbeat, once it is kept. One after the other: each is said after
   * all that was.
   *
   * @throws when the disk does not take it; it is not said then
   */
  say(said: Said): Promise<void> {
    const saying = this.#saying.then(() => this.#say(said));
    this.#saying = saying.catch(() => undefined);
    return saying;
  }

  async #say(said: Said): Promise<void> {
    for (;;) {
      const before = this.#latest;
      const word = { ...before, ...said, number: before.number + 1, node: this.#node };
      await this.#kept.write(word);
      if (this.#latest === before) {
        this.#latest = word;
        return;
      }
      // Another has said something meanwhile, under that number perhaps: this comes after it.
    }
  }

  /** @param isNew it has only just begun: what was completed before is not what it waits for */
  hear(peers: readonly Peer[], isNew: boolean): void {
    const words = peers.map((peer) => readAbout(peer).word);
    const word = words.reduce(laterWord, this.#latest);
    if (word === this.#latest) return;
    if (isNew) this.#completedBefore = word.completed;
    this.#latest = word;
    // Where it can't be kept another node has it, or the next word is.
    this.#kept.write(word).catch(() => undefined);
  }
}

type Said = Partial<Pick<GroupWord, 'pausedBy' | 'completed'>>;
