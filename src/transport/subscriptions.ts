// What those who listen at a socket have subscribed to, as they tell it: a heartbeat that nobody hears need not be sent.
import { HEARTBEATS_TOPIC, TOPIC_LIMIT_BYTES } from './wire.ts';

/** More than any process has groups; while there were as many, everything is sent. */
const SUBSCRIPTIONS_LIMIT = 10_000;

const UNSUBSCRIBE = 0;
const SUBSCRIBE = 1;

/** Of one group: all of it, or what kind. */
const OF_A_GROUP = /^[A-Za-z0-9._-]+\/(?<kind>heartbeat|role|promoted|shutdown)?$/;

export class Subscriptions {
  /** Of one group each, with its heartbeats. */
  readonly #groups = new Set<string>();
  /** Prefixes that may be of any group. */
  readonly #wide = new Set<string>();
  #wantsTogether = false;
  #isFull = false;

  /** What an XPUB socket hands on: a byte that says whether it begins or ends, and the prefix; or anything from a stranger. */
  hear(frames: readonly Buffer[]): void {
    const [frame] = frames;
    if (frame === undefined || frames.length !== 1) return;
    const [kind] = frame;
    // No topic begins with more than that.
    if (frame.length > TOPIC_LIMIT_BYTES + 1) return;
    const prefix = frame.toString('latin1', 1);
    if (kind === SUBSCRIBE) this.#add(prefix);
    else if (kind === UNSUBSCRIBE) this.#prefixesLike(prefix)?.delete(prefix);
  }

  /**
   * Whether somebody hears the heartbeats of all groups together, or did: what nobody hears is dropped, and no stranger
   * can take it from the others.
   */
  get wantsTogether(): boolean {
    return this.#wantsTogether;
  }

  /** Whether somebody may hear this heartbeat by itself. */
  wants(topic: string): boolean {
    if (this.#isFull || this.#wide.size > 0 || this.#groups.has(topic)) return true;
    return this.#groups.has(topic.slice(0, topic.indexOf('/') + 1));
  }

  #add(prefix: string): void {
    if (prefix === HEARTBEATS_TOPIC) this.#wantsTogether = true;
    // Which end later can't be told any more.
    else if (this.#groups.size + this.#wide.size >= SUBSCRIPTIONS_LIMIT) this.#isFull = true;
    else this.#prefixesLike(prefix)?.add(prefix);
  }

  /** Null: with no heartbeat. */
  #prefixesLike(prefix: string): Set<string> | null {
    const match = OF_A_GROUP.exec(prefix);
    if (match === null) return this.#wide;
    const kind = match.groups?.['kind'];
    return kind === undefined || kind === 'heartbeat' ? this.#groups : null;
  }
}
