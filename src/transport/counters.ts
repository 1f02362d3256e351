// What became of the messages and requests that reached this process, for `status` and metrics.
import { WIRE_REJECTIONS } from './wire.ts';
import type { WireRejection } from './wire.ts';

/** Why a bus message was not delivered. */
export type BusRejection =
  | WireRejection
  /** Not from the run that the group follows. */
  | 'foreign-node'
  /** Its sequence number is not above the last one of its run. */
  | 'replayed';

/** Why a request was not handed to its group. */
export type RequestRejection =
  | 'malformed'
  | 'oversized'
  | 'invalid'
  | 'unknown-method'
  | 'bad-params'
  | 'unknown-group'
  | 'too-many';

/** Why an answer was not handed to who had asked. */
export type AnswerRejection =
  /** No JSON-RPC 2.0, or too many frames. */
  | 'malformed'
  /** Nobody waits for it: it came too late, or nothing was asked. */
  | 'unasked';

/** Why somebody was not believed to be a node of the group. */
const DISTRUSTS = [
  'unsigned',
  'bad-signature',
  /** It is signed, and this process has no secret to check it with. */
  'unexpected-signature',
  /** A signed request that was heard before, or is older than one that was. */
  'repeated',
  /** A key that is not among the authorized ones. */
  'unauthorized-key',
  /** A connection that never came to a key: garbage, another key for this node, or no encryption. */
  'broken-handshake',
] as const;

export type Distrust = (typeof DISTRUSTS)[number];

export interface TransportCounters {
  /** Bus messages that arrived, and those of them that reached a node. */
  readonly received: number;
  readonly delivered: number;
  readonly rejected: Readonly<Record<BusRejection, number>>;
  /** Messages and answers that could not be sent at once and were dropped. */
  readonly dropped: number;
  readonly requests: number;
  readonly requestsRejected: Readonly<Record<RequestRejection, number>>;
  /** Of the answers to what this process asks others. */
  readonly answersRejected: Readonly<Record<AnswerRejection, number>>;
  /** Connections and signed messages of nodes, or of strangers. */
  readonly distrusted: Readonly<Record<Distrust, number>>;
}

/** Counters under way; every method is one step of one of them. */
export class Tally {
  #received = 0;
  #delivered = 0;
  #dropped = 0;
  #requests = 0;
  readonly #rejected = zeros([...WIRE_REJECTIONS, 'foreign-node', 'replayed'] as const);
  readonly #requestsRejected = zeros([
    'malformed',
    'oversized',
    'invalid',
    'unknown-method',
    'bad-params',
    'unknown-group',
    'too-many',
  ] as const);
  readonly #answersRejected = zeros(['malformed', 'unasked'] as const);
  readonly #distrusted = zeros(DISTRUSTS);
  readonly #troubles = new Map<string, string>();

  received(): void {
    this.#received += 1;
  }

  delivered(): void {
    this.#delivered += 1;
  }

  rejected(cause: BusRejection): void {
    this.#rejected[cause] += 1;
  }

  /** A field, so that it can be handed over as the callback it is used as. */
  readonly dropped = (): void => {
    this.#dropped += 1;
  };

  requested(): void {
    this.#requests += 1;
  }

  requestRejected(cause: RequestRejection): void {
    this.#requestsRejected[cause] += 1;
  }

  answerRejected(cause: AnswerRejection): void {
    this.#answersRejected[cause] += 1;
  }

  distrusted(cause: Distrust, sentence: string | null = null): void {
    this.#distrusted[cause] += 1;
    if (sentence !== null) this.trouble(cause, sentence);
  }

  /** What a person should know of, once for each kind: the first tells what to do about all. */
  trouble(kind: string, sentence: string): void {
    if (!this.#troubles.has(kind)) this.#troubles.set(kind, sentence);
  }

  /** The oldest first. */
  troubles(): readonly string[] {
    return [...this.#troubles.values()];
  }

  snapshot(): TransportCounters {
    return {
      received: this.#received,
      delivered: this.#delivered,
      rejected: { ...this.#rejected },
      dropped: this.#dropped,
      requests: this.#requests,
      requestsRejected: { ...this.#requestsRejected },
      answersRejected: { ...this.#answersRejected },
      distrusted: { ...this.#distrusted },
    };
  }
}

function zeros<const K extends string>(causes: readonly K[]): Record<K, number> {
  // Object.fromEntries forgets the keys: they are exactly `causes`.
  return Object.fromEntries(causes.map((cause) => [cause, 0])) as Record<K, number>;
}
