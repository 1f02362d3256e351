// The body of a request: kept while it waits and as long as it may be sent again, streamed otherwise.
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

export interface BodyLimits {
  /** The most that is kept of one body, bytes. */
  readonly keptBytes: number;
  /** For all bodies together. */
  readonly room: {
    /** False: there is none for so much more. */
    reserve(bytes: number): boolean;
    free(bytes: number): void;
  };
}

/** No socket gives more at a time. */
const CHUNK_BYTES = 64 * 1024;

/** What an exchange needs of a body. */
export type Body = Pick<
  RequestBody,
  | 'isWhole'
  | 'isShort'
  | 'isOnItsWay'
  | 'handedOn'
  | 'whenEnded'
  | 'collect'
  | 'open'
  | 'closeStream'
  | 'drop'
>;

/** @param onRead called once, before the first byte is asked for */
export function bodyOf(request: IncomingMessage, limits: BodyLimits, onRead: () => void): Body {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
  const hasNone = coding === undefined && Number(length) === 0;
  return hasNone ? NO_BODY : new RequestBody(request, limits, onRead);
}

/**
 * Reads ahead only for what room is reserved: a client that sends more waits until the primary takes it, and nothing
 * fails. A stream to the primary keeps what it has passed on, as long as there is room, for one that comes after it.
 */
class RequestBody {
  readonly #request: IncomingMessage;
  readonly #limits: BodyLimits;
  readonly #onRead: () => void;
  /** Null: it is not said before. */
  readonly #lengthBytes: number | null;
  #chunks: Buffer[] = [];
  /** How many of them the stream has taken. */
  #passed = 0;
  #handedOn = 0;
  #isOnItsWay = false;
  /** Of the chunks, as far as room for them is reserved. */
  #keptBytes = 0;
  /** Reserved for what may come next. */
  #creditBytes = 0;
  #isWhole = true;
  #isReading = false;
  #hasEnded = false;
  #stream: Readable | null = null;
  #streamWants = false;
  #onEnded: (() => void) | null = null;

  constructor(request: IncomingMessage, limits: BodyLimits, onRead: () => void) {
    this.#request = request;
    this.#limits = limits;
    this.#onRead = onRead;
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
    this.#lengthBytes = coding === undefined ? Number(length ?? 0) : null;
    // Its end is told by the response.
    request.on('error', () => undefined);
  }

  /** Whether all that has come is still here, from the first byte on. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whether it is so short that it comes at once, from a client that means it well. */
  get isShort(): boolean {
    return this.#lengthBytes !== null && this.#lengthBytes <= CHUNK_BYTES;
  }

  /** Whether any of it, or its end, was given to the attempt that is the latest: only with that its head is sent. */
  get isOnItsWay(): boolean {
    return this.#isOnItsWay;
  }

  /** How many parts the streams of it have taken; null: one waits for the client to send more. */
  get handedOn(): number | null {
    const isStarved = this.#streamWants && this.#passed === this.#chunks.length;
    return isStarved && this.#stream?.readableLength === 0 ? null : this.#handedOn;
  }

  /** Calls back when all of it is here. */
  whenEnded(callback: () => void): void {
    if (this.#hasEnded) callback();
    else this.#onEnded = callback;
  }

  /** Reads ahead; false: there is no room for it. */
  collect(): boolean {
    if (this.#hasEnded || this.#stream !== null) return true;
    const hasRoom = this.#takeCredit();
    if (hasRoom) this.#resume();
    else this.#request.pause();
    return hasRoom;
  }

  /** What an attempt sends: null where there is nothing, all of it where it is here, else a stream of it. */
  open(): Buffer | Readable | null {
    this.#isOnItsWay = this.#hasEnded;
    if (this.#hasEnded) return Buffer.concat(this.#chunks);
    this.#passed = 0;
    const stream = new Readable({
      read: () => {
        this.#streamWants = true;
        this.#feed();
      },
    });
    this.#stream = stream;
    return stream;
  }

  /** The attempt is over; what comes now is for the next, if it is still whole. */
  closeStream(): void {
    const stream = this.#stream;
    this.#stream = null;
    this.#streamWants = false;
    stream?.destroy();
  }

  /** Nobody needs it any more; what still comes is read and dropped. */
  drop(): void {
    this.closeStream();
    this.#isWhole = false;
    this.#chunks = [];
    this.#limits.room.free(this.#keptBytes + this.#creditBytes);
    this.#keptBytes = 0;
    this.#creditBytes = 0;
    this.#onEnded = null;
    if (this.#isReading) this.#request.off('data', this.#take).off('end', this.#end);
    this.#request.resume();
  }

  #resume(): void {
    if (!this.#isReading) {
      this.#isReading = true;
      this.#onRead();
      this.#request.on('data', this.#take).on('end', this.#end);
    }
    this.#request.resume();
  }

  readonly #take = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    const paidBytes = Math.min(this.#creditBytes, chunk.length);
    const owedBytes = chunk.length - paidBytes;
    this.#creditBytes -= paidBytes;
    this.#keptBytes += paidBytes;
    if (this.#isWhole && owedBytes > 0) {
      if (this.#reserve(owedBytes)) this.#keptBytes += owedBytes;
      else this.#forget();
    }
    if (this.#stream === null) this.collect();
    else this.#feed();
  };

  readonly #end = (): void => {
    this.#hasEnded = true;
    this.#limits.room.free(this.#creditBytes);
    this.#creditBytes = 0;
    if (this.#stream !== null) this.#feed();
    this.#onEnded?.();
    this.#onEnded = null;
  };

  /** Passes on what the stream wants, and asks for more when it has all. */
  #feed(): void {
    const stream = this.#stream;
    if (stream === null) return;
    while (this.#streamWants) {
      const chunk = this.#chunks[this.#passed];
      if (chunk === undefined) break;
      this.#passed += 1;
      this.#handedOn += 1;
      this.#isOnItsWay = true;
      this.#streamWants = stream.push(chunk);
    }
    if (!this.#isWhole) this.#forget();
    const hasAll = this.#passed === this.#chunks.length;
    if (hasAll && this.#hasEnded) {
      this.#stream = null;
      this.#isOnItsWay = true;
      stream.push(null);
    } else if (hasAll && this.#streamWants) this.#resume();
    else this.#request.pause();
  }

  /** Room for the next chunk, whatever its size; false: there is none. */
  #takeCredit(): boolean {
    const knownBytes = this.#keptBytes + this.#creditBytes;
    const leftBytes = this.#lengthBytes === null ? CHUNK_BYTES : this.#lengthBytes - knownBytes;
    const missingBytes = Math.min(CHUNK_BYTES - this.#creditBytes, leftBytes);
    if (missingBytes <= 0) return true;
    if (!this.#reserve(missingBytes)) return false;
    this.#creditBytes += missingBytes;
    return true;
  }

  #reserve(bytes: number): boolean {
    const allBytes = this.#keptBytes + this.#creditBytes + bytes;
    return allBytes <= this.#limits.keptBytes && this.#limits.room.reserve(bytes);
  }

  /** What was passed on is not kept any more: from now on it can't be sent from its beginning. */
  #forget(): void {
    this.#isWhole = false;
    this.#chunks = this.#chunks.slice(this.#passed);
    this.#passed = 0;
    this.#limits.room.free(this.#keptBytes);
    this.#keptBytes = 0;
  }
}

/** One for all requests without one, which are most: the server itself reads their end. */
const NO_BODY: Body = {
  isWhole: true,
  isShort: true,
  isOnItsWay: true,
  handedOn: 0,
  whenEnded: (callback) => {
    callback();
  },
  collect: () => true,
  open: () => null,
  closeStream: ignore,
  drop: ignore,
};

function ignore(): void {
  // There is nothing.
}
