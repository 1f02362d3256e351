// The nodes that answer reads: which of them serve, and a way to each.
import { targetIn } from '../config/proxy-address.ts';
import type { Target } from '../config/proxy-address.ts';
import { lookOverNetwork } from '../health/attempt.ts';
import { UpstreamList } from '../upstream/upstream-list.ts';
import type { PrimaryTerm, ReachedNode } from './primary-source.ts';
import { readersFor } from './read-choice.ts';
import type { ReadFrom } from './read-choice.ts';
import { ReadLane } from './read-lane.ts';
import { SERVER_CHECK } from './server-check.ts';
import type { UpstreamLimits } from './upstream.ts';

export interface ReadersOptions {
  readonly readFrom: ReadFrom;
  /** How many may be under way to each node at a time; what streams without an end is not counted. */
  readonly slots: number;
  readonly limits: UpstreamLimits;
}

interface Reader extends Target {
  /** Its address as the node has said it. */
  readonly id: string;
  readonly lane: ReadLane;
}

/** Whom a read is about to go to, and has been. */
export interface ReadTurn {
  readonly isPrimaryFree: boolean;
  /** The targets that it has failed at. */
  readonly tried: ReadonlySet<string>;
}

/** A proxy reads from no more nodes than these. */
const NODES_LIMIT = 64;

export class Readers {
  readonly #options: ReadersOptions;
  readonly #list: UpstreamList<Reader>;
  #readers: ReadonlyMap<string, Reader> = new Map();
  #primary: string | null = null;
  #isEnded = false;

  constructor(options: ReadersOptions) {
    this.#options = options;
    this.#list = new UpstreamList<Reader>({
      ...SERVER_CHECK,
      // A cold standby has a target where nobody listens.
      waitForCheck: true,
      check: async ({ host, port }, signal) =>
        (await lookOverNetwork({ kind: 'tcp', host, port }, signal)) === null,
    });
  }

  /** Whether a read may go to another than the primary at all. */
  get areOn(): boolean {
    return this.#options.readFrom !== 'primary';
  }

  get underWay(): number {
    return [...this.#readers.values()].reduce((sum, { lane }) => sum + lane.underWay, 0);
  }

  /**
   * These nodes and no others, from now on: those that stay keep what is known of them. Resolves once those of the
   * first time were checked; never rejects.
   */
  update(nodes: readonly ReachedNode[]): Promise<void> {
    if (this.#isEnded || !this.areOn) return Promise.resolve();
    const before = this.#readers;
    const readers = nodes.slice(0, NODES_LIMIT).flatMap((node) => this.#readerOf(node));
    this.#readers = new Map(readers.map((reader) => [reader.id, reader]));
    this.#list.update(readers);
    for (const [id, { lane }] of before) {
      if (this.#readers.get(id)?.lane !== lane) lane.end('its node is gone');
    }
    return this.#list.start();
  }

  /** @param term null: nobody leads; the one before is remembered */
  followPrimary(term: PrimaryTerm | null): void {
    if (term !== null) this.#primary = term.target;
  }

  /** The way of the next read; null: through the gate. */
  next({ isPrimaryFree, tried }: ReadTurn): ReadLane | null {
    const primary = this.#primary;
    const nodes = this.#list.usable.map(({ id, lane }) => {
      return { target: id, isUsable: true, hasRoom: lane.hasRoom };
    });
    const { readFrom } = this.#options;
    const targets = readersFor({ readFrom, nodes, primary, isPrimaryFree, tried });
    if (targets.length === 0) return null;
    const { id, lane } = this.#list.pick((reader) => targets.includes(reader.id));
    return id === primary ? null : lane;
  }

  /** What an attempt has shown of a node; of one that is none of these nothing. */
  report(target: string, success: boolean): void {
    const reader = this.#readers.get(target);
    if (reader !== undefined) this.#list.report(reader, success);
  }

  /** Ends what has no end of its own, and leaves alone the rest. */
  closeStreams(): void {
    for (const { lane } of this.#readers.values()) lane.closeStreams();
  }

  /** Cuts what is under way, and checks nobody any more: for good. */
  end(): void {
    this.#isEnded = true;
    this.#list.stop();
    const readers = [...this.#readers.values()];
    this.#readers = new Map();
    this.#list.update([]);
    for (const { lane } of readers) lane.end('the proxy ends');
  }

  #readerOf({ node, target }: ReachedNode): readonly Reader[] {
    const parsed = targetIn(target);
    if (parsed?.kind !== 'http') return [];
    const known = this.#readers.get(target);
    if (known?.lane.node === node) return [known];
    const { slots, limits } = this.#options;
    const lane = new ReadLane({ node, epoch: null, target }, slots, limits);
    return [{ ...parsed, id: target, lane }];
  }
}
