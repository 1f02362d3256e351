// What a process says to all who listen: message by message, or the heartbeats of many groups together.
import type { XPublisher } from 'zeromq';
import { BODY_LIMIT_BYTES } from './checks.ts';
import type { Seal } from './seal.ts';
import { SEAL_BYTES } from './seal.ts';
import { readMessages, sendOrDrop } from './sockets.ts';
import { Subscriptions } from './subscriptions.ts';
import { HEARTBEATS_TOPIC, encodeTogether } from './wire.ts';

/** Where those are that a group has to do with: on its machine alone, or on others as well. */
export type Reach = 'local' | 'machines';

/** A message of a group, before it is signed. */
export interface Said {
  readonly frames: readonly [topic: string, body: string];
  readonly reach: Reach;
  /** `routine`: it may wait for those of other groups that are said in the same turn. */
  readonly heartbeat: 'routine' | 'urgent' | null;
}

/** A socket that messages go out of, and who has subscribed to what there. */
interface Outlet {
  readonly socket: XPublisher;
  readonly subscriptions: Subscriptions;
  readonly hears: (reach: Reach) => boolean;
}

export interface BroadcastParts {
  readonly seal: Seal;
  readonly onDropped: () => void;
  /** Whether this process has so many groups that what they say often is said together. */
  readonly hasMany: () => boolean;
}

export class Broadcast {
  readonly #parts: BroadcastParts;
  readonly #outlets: Outlet[] = [];
  #waiting: Said[] = [];

  constructor(parts: BroadcastParts) {
    this.#parts = parts;
  }

  /** Messages go out of this one too. Resolves once it is closed, which the caller does. */
  async through(socket: XPublisher, hears: Outlet['hears']): Promise<void> {
    const subscriptions = new Subscriptions();
    this.#outlets.push({ socket, subscriptions, hears });
    await readMessages(socket, (frames) => {
      subscriptions.hear(frames);
    });
  }

  send(said: Said): void {
    if (said.heartbeat !== null) {
      this.#waiting.push(said);
      if (said.heartbeat === 'urgent' || !this.#parts.hasMany()) this.#flush();
      else if (this.#waiting.length === 1) queueMicrotask(this.#flush);
      return;
    }
    // What a group says arrives in the order in which it was said.
    this.#flush();
    for (const outlet of this.#outlets) {
      if (outlet.hears(said.reach)) this.#sendTo(outlet, [said]);
    }
  }

  /** Whoever hears them together hears them only so, however few they are. */
  readonly #flush = (): void => {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const outlet of this.#outlets) {
      const meant = waiting.filter(({ reach }) => outlet.hears(reach));
      const { subscriptions } = outlet;
      if (!subscriptions.wantsTogether) {
        this.#sendTo(outlet, meant);
        continue;
      }
      this.#sendTo(
        outlet,
        meant.filter(({ frames: [topic] }) => subscriptions.wants(topic)),
      );
      for (const body of together(meant)) this.#sendFrames(outlet, [HEARTBEATS_TOPIC, body]);
    }
  };

  #sendTo(outlet: Outlet, said: readonly Said[]): void {
    for (const { frames } of said) this.#sendFrames(outlet, frames);
  }

  #sendFrames({ socket }: Outlet, [topic, body]: readonly [string, string]): void {
    if (socket.closed) return;
    sendOrDrop(socket, [topic, this.#parts.seal.sign(topic, body)], this.#parts.onDropped);
  }
}

/** In as few messages as their limit allows. */
function together(said: readonly Said[]): string[] {
  const messages: string[] = [];
  let bodies: string[] = [];
  let sizeBytes = 0;
  for (const {
    frames: [, body],
  } of said) {
    const bytes = Buffer.byteLength(body) + 1;
    if (bodies.length > 0 && sizeBytes + bytes > ROOM_BYTES) {
      messages.push(encodeTogether(bodies));
      bodies = [];
      sizeBytes = 0;
    }
    bodies.push(body);
    sizeBytes += bytes;
  }
  if (bodies.length > 0) messages.push(encodeTogether(bodies));
  return messages;
}

/** What is around them takes some too. */
const ROOM_BYTES = BODY_LIMIT_BYTES - SEAL_BYTES - 64;
