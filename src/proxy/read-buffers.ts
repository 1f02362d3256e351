// Memory that connections are read into and written from, one after the other. A buffer for each read would have the
// engine look for garbage most of the time: some gigabytes of them a second.
import type { OnReadOpts, Socket } from 'node:net';

/** What one read takes at most. */
const SIZE = 64 * 1024;

/** The most that wait to be used again: 4 MiB. */
const MOST = 64;

/** Buffers that nobody reads into at the moment. */
export class ReadBuffers {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SIZE);
  }

  give(buffer: Buffer): void {
    if (this.#free.length < MOST) this.#free.push(buffer);
  }
}

/** Writes what one connection says to another, which may be slower. */
export class Relay {
  readonly #buffers: ReadBuffers;
  readonly #sink: Socket;
  readonly #onBytes: () => void;
  #source: Socket | null = null;
  #buffer: Buffer | null = null;

  constructor(sink: Socket, buffers: ReadBuffers, onBytes: () => void) {
    this.#sink = sink;
    this.#buffers = buffers;
    this.#onBytes = onBytes;
  }

  /** How the source is to be opened. */
  readonly onread: OnReadOpts = {
    // Asked for before the first read, after each, and again with each address that is tried.
    buffer: () => (this.#buffer ??= this.#buffers.take()),
    callback: (length) => this.#pass(length),
  };

  /** From here on; the end of the source is that of the sink. */
  begin(source: Socket): void {
    this.#source = source;
    source.on('end', () => {
      this.#sink.end();
    });
  }

  /** The source is closed: nothing is read any more. */
  end(): void {
    if (this.#buffer !== null) this.#buffers.give(this.#buffer);
    this.#buffer = null;
  }

  /** False: the source waits until the sink has taken what it has, so that one that is slow has one buffer. */
  #pass(length: number): boolean {
    const { writable } = this.#sink;
    const buffer = this.#buffer;
    if (buffer === null || !writable) return false;
    this.#onBytes();
    // Until it was taken nothing else may be read into it; where an error ends that, the engine gets rid of it.
    let isWaiting = false;
    this.#sink.write(buffer.subarray(0, length), (error) => {
      if (!isWaiting || error instanceof Error) return;
      this.#buffers.give(buffer);
      this.#source?.resume();
    });
    isWaiting = this.#sink.writableLength > 0;
    if (isWaiting) this.#buffer = null;
    return !isWaiting;
  }
}
