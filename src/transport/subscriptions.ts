// What those who listen at a socket have subscribed to, as they tell it: what nobody hears need not be sent.
import { HEARTBEATS_TOPIC, TOPIC_LIMIT_BYTES } from './wire.ts';

/** More of them than any process has groups to say something of; who asks for more is sent everything. */
const SUBSCRIPTIONS_LIMIT = 10_000;

const SUBSCRIBE = 1;

/** A kind of message of one group, or all of them. */
const OF_A_GROUP = /^[A-Za-z0-9._-]+\/(?:heartbeat|role|promoted|shutdown)?$/;

export class Subscriptions {
  readonly #topics = new Set<string>();
  /** Prefixes that may be of any group. */
  readonly #wide = new Set<string>();
  #isFull = false;

  /** The frame of an XPUB socket: a byte that says whether it begins or ends, and the prefix. */
  hear([frame]: readonly Buffer[]): void {
    if (frame === undefined || frame.length === 0) return;
    // No topic begins like that.
    if (frame.length > TOPIC_LIMIT_BYTES + 1) return;
    const prefix = frame.toString('latin1', 1);
    const isOfGroup = prefix === HEARTBEATS_TOPIC || OF_A_GROUP.test(prefix);
    const prefixes = isOfGroup ? this.#topics : this.#wide;
    if (frame[0] !== SUBSCRIBE) {
      prefixes.delete(prefix);
      return;
    }
    // Which end later can't be told any more.
    if (this.#topics.size + this.#wide.size >= SUBSCRIPTIONS_LIMIT) this.#isFull = true;
    else prefixes.add(prefix);
  }

  /** Whether somebody hears the heartbeats of all groups together. */
  get wantsTogether(): boolean {
    return this.#topics.has(HEARTBEATS_TOPIC);
  }

  /** Whether somebody may hear a message with this topic by itself. */
  wants(topic: string): boolean {
    if (this.#isFull || this.#wide.size > 0 || this.#topics.has(topic)) return true;
    return this.#topics.has(topic.slice(0, topic.indexOf('/') + 1));
  }
}
