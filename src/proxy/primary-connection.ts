// A connection to the primary: whoever reads it hears of its end only once all that has come over it is read.
import { Socket } from 'node:net';
import type { SocketConstructorOpts } from 'node:net';
import type { DuplexOptions } from 'node:stream';
import { errors } from 'undici';
import type { buildConnector } from 'undici';

/** One that does not accept is no primary: longer than a lost packet takes to be sent again, ms. */
const CONNECT_TIMEOUT_MS = 3_000;

/** How long nothing is said before the system looks whether the other end is still there, ms: that of undici. */
const WATCH_AFTER_MS = 60_000;

/** What the pools of undici connect by. */
export function connectToPrimary(
  { hostname, port }: buildConnector.Options,
  callback: buildConnector.Callback,
): void {
  const socket = new PrimaryConnection(BUFFERS);
  let isConnected = false;
  socket.setNoDelay(true).setKeepAlive(true, WATCH_AFTER_MS);
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
    if (!isConnected) socket.destroy(new Error('it does not accept'));
  });
  socket.once('connect', () => {
    isConnected = true;
    socket.setTimeout(0);
    callback(null, socket);
  });
  socket.on('error', (error) => {
    if (!isConnected) callback(error, null);
  });
  socket.connect(Number(port === '' ? 80 : port), hostname);
}

/** As much as one read of the system gives. */
const BUFFERS: SocketConstructorOpts & DuplexOptions = { highWaterMark: 64 * 1024 };

/**
 * The parser of undici is not to hear of an end or a reset while it is paused: it asserts so, in an event where nobody
 * catches it. It reads by itself, and asks for more as soon as it goes on.
 */
class PrimaryConnection extends Socket {
  /** What follows once all is read. */
  #ending: (() => void) | null = null;
  #hasConnected = false;

  constructor(options: SocketConstructorOpts & DuplexOptions) {
    super(options);
    this.once('connect', () => {
      this.#hasConnected = true;
    });
  }

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk !== null) return super.push(chunk, encoding);
    this.#endWhenRead(() => super.push(null));
    return false;
  }

  override destroy(error?: Error): this {
    // A reset instead of a connection is a failure to connect: by the code below it would be tried again untold.
    if (!isReset(error) || !this.#hasConnected) return super.destroy(error);
    // By its own code it is taken for the end of an answer that has no length.
    const reset = new errors.SocketError('reset by the primary');
    this.#endWhenRead(() => super.destroy(reset));
    return this;
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    // Asked for a number of bytes it is the stream itself that looks.
    if (chunk === null && size === undefined && this.#ending !== null) {
      // What the parser still holds comes first.
      process.nextTick(this.#ending);
      this.#ending = null;
    }
    return chunk;
  }

  #endWhenRead(end: () => void): void {
    // One that is not connected yet has no reader, and what is upgraded flows.
    if (this.listenerCount('readable') === 0) {
      end();
      return;
    }
    this.#ending = end;
    this.emit('readable');
  }
}

function isReset(error: Error | undefined): boolean {
  return error !== undefined && 'code' in error && error.code === 'ECONNRESET';
}
