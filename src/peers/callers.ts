// Bounds the connections to the port of a node so that strangers, who may hold many, keep no peer out.
import type { Socket } from 'node:net';

/** More than find the time to say something by which they are known; others only take descriptors. */
const STRANGER_LIMIT = 256;

/** Twice as many as there may be peers: one that is restarted calls before its last connection is closed. */
const KNOWN_LIMIT = 128;

export class Callers {
  /** The oldest first. */
  readonly #strangers = new Set<Socket>();
  /** The one that was heard longest ago first. */
  readonly #known = new Set<Socket>();

  /** One more, who makes room for itself: whoever came first has had the most time to say who it is. */
  arrived(socket: Socket): void {
    this.#strangers.add(socket);
    socket.once('close', () => {
      this.#strangers.delete(socket);
      this.#known.delete(socket);
    });
    endOldest(this.#strangers, STRANGER_LIMIT);
  }

  /** It has said something that only peers can say. */
  heard(socket: Socket): void {
    if (socket.destroyed) return;
    this.#strangers.delete(socket);
    this.#known.delete(socket);
    this.#known.add(socket);
    endOldest(this.#known, KNOWN_LIMIT);
  }
}

function endOldest(sockets: Set<Socket>, limit: number): void {
  const [oldest] = sockets;
  if (oldest === undefined || sockets.size <= limit) return;
  sockets.delete(oldest);
  oldest.destroy();
}
