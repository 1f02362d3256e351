// What all ZeroMQ sockets here have in common: bounds, and loops that end quietly with their socket.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dealer, Publisher, Reply, Router, Subscriber, XPublisher } from 'zeromq';
import { monotonicNow } from '../runtime/clock.ts';
import { BODY_LIMIT_BYTES } from './checks.ts';

/**
 * Options of every socket. A frame above `maxMessageSize` costs its sender the connection, inside
 * libzmq; it is above the body limit so that bodies a little too long are refused, counted and
 * answered instead.
 */
export const COMMON_OPTIONS: { readonly linger: number; readonly maxMessageSize: number } = {
  linger: 0,
  maxMessageSize: 4 * BODY_LIMIT_BYTES,
};

/** Messages that may wait in a socket, per connection: two bursts of a thousand groups. */
export const HIGH_WATER_MARK = 2048;

/** A send is done at once or not at all: the process never waits for a slow reader. */
export const NEVER_WAIT = { sendTimeout: 0 } as const;

/** Reconnects of a connecting socket: soon, then seldom, so that a dead peer costs next to nothing. */
export const RECONNECT_OPTIONS = { reconnectInterval: 50, reconnectMaxInterval: 1000 } as const;

/** Sends now or drops; whether it was dropped is told later, by `onDropped`, at most once. */
export function sendOrDrop(
  socket: Publisher | XPublisher | Router | Dealer | Reply,
  frames: (string | Buffer)[],
  onDropped: () => void,
): void {
  try {
    socket.send(frames).catch(onDropped);
  } catch {
    onDropped();
  }
}

/**
 * Hands every message to `onFrames` until the socket is closed. Resolves then; never rejects. Messages that wait
 * are read without a pause: while there are more of them than can be handled, timers and others still have a turn.
 */
export async function readMessages(
  socket: Subscriber | XPublisher | Router | Dealer | Reply,
  onFrames: (frames: readonly Buffer[]) => void,
): Promise<void> {
  let busyMs = 0;
  try {
    for await (const frames of socket) {
      const sinceMs = monotonicNow();
      guarded(() => {
        onFrames(frames);
      });
      busyMs += monotonicNow() - sinceMs;
      if (busyMs < BUSY_LIMIT_MS) continue;
      await nextTurn();
      busyMs = 0;
    }
  } catch (error) {
    // A receive that was under way ends like this when its socket is closed.
    if (!socket.closed) crash(error);
  }
}

/** How long messages of one socket may keep everything else waiting, beside the handling of the last one. */
const BUSY_LIMIT_MS = 5;

/** Who is told of a connection. */
export interface ConnectionListener {
  /** True once it can carry messages, false when it broke or could not be made. */
  readonly onChange: (connected: boolean) => void;
  /** The other side has refused this process: its key, or its way of encryption. */
  readonly onRefused?: (what: 'key' | 'handshake') => void;
}

/** Connects, and connects again whenever the connection breaks. Tells of it. */
export function keepConnected(
  socket: Subscriber | Dealer,
  endpoint: string,
  { onChange, onRefused = () => undefined }: ConnectionListener,
): void {
  const tell = (connected: boolean): void => {
    guarded(() => {
      onChange(connected);
    });
  };
  let retrying = false;
  let isRefused = false;
  const refused = (what: 'key' | 'handshake'): void => {
    isRefused = true;
    guarded(() => {
      onRefused(what);
    });
  };
  socket.events.on('handshake:error:auth', () => {
    refused('key');
  });
  socket.events.on('handshake:error:protocol', () => {
    refused('handshake');
  });
  socket.events.on('connect', () => {
    retrying = true;
  });
  socket.events.on('handshake', () => {
    isRefused = false;
    tell(true);
  });
  socket.events.on('connect:retry', () => {
    retrying = true;
    tell(false);
  });
  socket.events.on('disconnect', () => {
    retrying = false;
    tell(false);
    const { reconnectInterval, reconnectMaxInterval } = RECONNECT_OPTIONS;
    const pauseMs = isRefused ? reconnectMaxInterval : reconnectInterval;
    // libzmq retries by itself, but not after a breach of its protocol or a frame that is too long.
    setTimeout(() => {
      if (!retrying && !socket.closed) connectAgain(socket, endpoint);
    }, pauseMs).unref();
  });
  socket.connect(endpoint);
}

function connectAgain(socket: Subscriber | Dealer, endpoint: string): void {
  try {
    socket.disconnect(endpoint);
  } catch {
    // It was forgotten with the connection: what was to be done.
  }
  socket.connect(endpoint);
}

/** A broken invariant of a callback ends the process, and not just the loop that it was called from. */
function guarded(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    crash(error);
  }
}

function crash(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
