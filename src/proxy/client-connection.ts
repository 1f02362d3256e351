// One connection of a client: how many of its requests go on at a time, and how it ends.
import type { Socket } from 'node:net';
import type { Clock } from '../runtime/ports.ts';
import { rawRefusal } from './refusals.ts';
import type { RefusalCode } from './refusals.ts';

/** A request of it that has begun. */
export interface OpenRequest {
  /** Whether all of its answer is on its way. */
  readonly isOver: boolean;
  /** Nobody waits for its answer any more: it is given up. */
  abandon(): void;
  clientGone(): void;
}

export interface ClientLimits {
  readonly clock: Clock;
  /** How long it may take nothing of an answer that is here, ms. */
  readonly idleTimeoutMs: number;
}

/** Answers go out in the order of the requests: those behind a slow one are kept, and are not to be too many. */
const OPEN_LIMIT = 8;

/** For a client to read what it is told last, and to close as well, ms. */
const CLOSE_MS = 1_000;

export class ClientConnection {
  readonly #socket: Socket;
  readonly #limits: ClientLimits;
  /** Those that are not answered to the end, in the order of their coming. */
  readonly #open: OpenRequest[] = [];
  #waiting: (() => OpenRequest)[] = [];
  #isEnding = false;
  #cancelStall: (() => void) | null = null;
  #cancelClose: () => void = () => undefined;

  constructor(socket: Socket, limits: ClientLimits) {
    this.#socket = socket;
    this.#limits = limits;
    socket.on('resume', () => {
      // The server resumes it for each body.
      if (this.#waiting.length > 0) socket.pause();
    });
    // Of one that asks for a tunnel or an upgrade the server has taken its own listener away.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#closed();
    });
  }

  /** Whether it was refused: what still comes over it is looked at by nobody. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Begins with a request, now or when enough of those before it are answered. */
  take(begin: () => OpenRequest): void {
    if (this.#isEnding) return;
    if (this.#open.length >= OPEN_LIMIT) {
      this.#waiting.push(begin);
      if (!this.#socket.isPaused()) this.#socket.pause();
      return;
    }
    this.#open.push(begin());
    this.#limitStall();
  }

  /** All of the answer of one of them is on its way. */
  answered(): void {
    this.#limitStall();
  }

  /** The answer of this one has left, or will never. */
  left(request: OpenRequest): void {
    const at = this.#open.indexOf(request);
    if (at < 0) return;
    this.#open.splice(at, 1);
    this.#cancelStall?.();
    this.#cancelStall = null;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#open.push(next());
      if (this.#waiting.length === 0) this.#socket.resume();
    }
    this.#limitStall();
  }

  /** Says so in place of an answer, gives up what it has asked for, and closes it. */
  refuse(code: RefusalCode): void {
    this.#isEnding = true;
    this.#waiting = [];
    for (const request of this.#open.splice(0)) request.abandon();
    this.end(rawRefusal(code));
  }

  /** Closes it after what is said last; one that does not close as well is not waited for. */
  end(text = ''): void {
    const { clock } = this.#limits;
    this.#socket.end(text);
    // What it has sent and nobody has read would take the answer from it.
    this.#socket.resume();
    this.#cancelClose();
    this.#cancelClose = clock.wakeAt(clock.now() + CLOSE_MS, () => {
      this.#socket.destroy();
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** One that takes nothing would keep its answers in memory, and its place, for good. */
  #limitStall(): void {
    const [first] = this.#open;
    if (this.#cancelStall !== null || first?.isOver !== true) return;
    // The system has all of it.
    if (this.#socket.writableLength === 0) return;
    const { clock, idleTimeoutMs } = this.#limits;
    this.#cancelStall = clock.wakeAt(clock.now() + idleTimeoutMs, () => {
      // It may have asked in HTTP/1.0, where a mere end would look like that of the answer.
      this.#socket.resetAndDestroy();
    });
  }

  #closed(): void {
    this.#isEnding = true;
    this.#waiting = [];
    this.#cancelStall?.();
    this.#cancelClose();
    for (const request of this.#open.splice(0)) request.clientGone();
  }
}
