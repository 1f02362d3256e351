// Those who follow events over HTTP (server-sent events): a bounded number, each with a bounded queue.
import type { ServerResponse } from 'node:http';
import type { Following, GroupsSource, NumberedEvent } from './groups-source.ts';

/** Fewer than half of the connections of a server: the others are for those who check on its nodes. */
const MOST_EVENT_CLIENTS = 100;

/** Beside what the system takes for a connection, bytes: minutes of a busy group. */
const QUEUE_LIMIT_BYTES = 256 * 1024;

/** So that nothing on the way takes a connection on which nothing happens for a dead one. */
const COMMENT_INTERVAL_MS = 15_000;

/** After which time a browser comes back by itself, ms. */
const RETRY_MS = 2_000;

export interface EventClientsParts {
  readonly groups: GroupsSource;
  /** Told how many there are, and of each that was cut off as it did not read. */
  readonly onCount: (count: number) => void;
  readonly onCutOff: () => void;
  readonly limits?: { readonly clients: number; readonly queueBytes: number };
}

const LIMITS = { clients: MOST_EVENT_CLIENTS, queueBytes: QUEUE_LIMIT_BYTES };

export class EventClients {
  readonly #parts: EventClientsParts;
  readonly #limits: typeof LIMITS;
  readonly #responses = new Set<ServerResponse>();
  /** The event that was written last, as bytes: all who follow it share them. */
  #encoded: { readonly of: NumberedEvent; readonly bytes: Buffer } | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: EventClientsParts) {
    this.#parts = parts;
    this.#limits = parts.limits ?? LIMITS;
  }

  get isFull(): boolean {
    return this.#responses.size >= this.#limits.clients;
  }

  /** Takes over the response: it goes on until the client leaves, or is cut off. */
  add(response: ServerResponse, following: Following): void {
    this.#responses.add(response);
    this.#changed();
    let leave = (): void => undefined;
    response.on('error', () => undefined);
    response.once('close', () => {
      this.#responses.delete(response);
      leave();
      this.#changed();
    });
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // nginx would keep events until it has a page of them.
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${String(RETRY_MS)}\n\n`);
    const listener = (numbered: NumberedEvent): void => {
      this.#write(response, this.#bytesOf(numbered));
    };
    this.#parts.groups.follow(following, listener).then(
      (stop) => {
        leave = stop;
        if (response.destroyed) stop();
      },
      () => {
        response.destroy();
      },
    );
  }

  /** Ends all of them. */
  close(): void {
    for (const response of this.#responses) response.destroy();
  }

  #write(response: ServerResponse, bytes: Buffer): void {
    if (response.destroyed) return;
    response.write(bytes);
    if (response.writableLength <= this.#limits.queueBytes) return;
    this.#parts.onCutOff();
    response.destroy();
  }

  #bytesOf(numbered: NumberedEvent): Buffer {
    if (this.#encoded?.of !== numbered) {
      this.#encoded = { of: numbered, bytes: Buffer.from(textOf(numbered)) };
    }
    return this.#encoded.bytes;
  }

  #changed(): void {
    const { size } = this.#responses;
    this.#parts.onCount(size);
    if (size === 0 && this.#timer !== null) clearInterval(this.#timer);
    if (size === 0) this.#timer = null;
    else this.#timer ??= setInterval(this.#comment, COMMENT_INTERVAL_MS).unref();
  }

  readonly #comment = (): void => {
    for (const response of this.#responses) this.#write(response, COMMENT);
  };
}

const COMMENT = Buffer.from(': here\n\n');

/** JSON has no line feed, so that a line of data is one. */
function textOf({ id, event }: NumberedEvent): string {
  const number = id === null ? '' : `id: ${id}\n`;
  return `${number}event: ${event.name}\ndata: ${JSON.stringify(event.data)}\n\n`;
}
