// Those who follow events over HTTP (server-sent events): a bounded number, each with a bounded queue.
import type { ServerResponse } from 'node:http';
import type { Following, GroupsSource, NumberedEvent } from './groups-source.ts';

/** Fewer than half of the connections of a server: the others are for those who check on its nodes. */
const MOST_EVENT_CLIENTS = 100;

/** Events that wait for one client, beside what the system takes: more than it is told when it comes. */
const MOST_WAITING = 32_768;

/** So that nobody takes a connection on which nothing happens for a dead one, nor does anything on the way. */
const SIGN_INTERVAL_MS = 10_000;

/** A client that has taken nothing from so many signs in a row to the next does not read. */
const IDLE_SIGNS = 2;

/** After which time a browser comes back by itself, ms. */
const RETRY_MS = 2_000;

export interface EventClientsParts {
  readonly groups: GroupsSource;
  /** Told how many there are, and of each that was cut off as it did not read. */
  readonly onCount: (count: number) => void;
  readonly onCutOff: () => void;
  readonly limits?: { readonly clients: number; readonly waiting: number };
}

const LIMITS = { clients: MOST_EVENT_CLIENTS, waiting: MOST_WAITING };

/** Of one client: what its connection does not take yet, not written out, as others wait for the same. */
interface Client {
  readonly response: ServerResponse;
  readonly waiting: (NumberedEvent | null)[];
  /** Its connection takes no more until it says so. */
  isBusy: boolean;
  /** Signs since its connection was busy and took nothing. */
  idleSigns: number;
}

export class EventClients {
  readonly #parts: EventClientsParts;
  readonly #limits: typeof LIMITS;
  readonly #clients = new Set<Client>();
  /** The event that was written last, as bytes: all who follow it share them. */
  #encoded: { readonly of: NumberedEvent; readonly bytes: Buffer } | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: EventClientsParts) {
    this.#parts = parts;
    this.#limits = parts.limits ?? LIMITS;
  }

  get isFull(): boolean {
    return this.#clients.size >= this.#limits.clients;
  }

  /** Takes over the response: it goes on until the client leaves, or is cut off. */
  add(response: ServerResponse, following: Following): void {
    const client: Client = { response, waiting: [], isBusy: false, idleSigns: 0 };
    this.#clients.add(client);
    this.#changed();
    const { socket } = response.req;
    let leave = (): void => undefined;
    const end = (): void => {
      socket.removeListener('close', end);
      if (!this.#clients.delete(client)) return;
      client.waiting.length = 0;
      leave();
      this.#changed();
    };
    response.on('error', () => undefined);
    response.on('drain', () => {
      client.isBusy = false;
      client.idleSigns = 0;
      this.#writeOn(client);
    });
    response.once('close', end);
    // A response that never had its turn on the connection does not say that it is closed.
    socket.once('close', end);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // nginx would keep events until it has a page of them.
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${String(RETRY_MS)}\n\n`);
    const listener = (numbered: NumberedEvent): void => {
      this.#write(client, numbered);
    };
    this.#parts.groups.follow(following, listener).then(
      (stop) => {
        leave = stop;
        if (!this.#clients.has(client)) stop();
      },
      () => {
        response.destroy();
      },
    );
  }

  /** Ends all of them. */
  close(): void {
    for (const { response } of this.#clients) response.destroy();
  }

  /** @param numbered Null: the sign that the server is there */
  #write(client: Client, numbered: NumberedEvent | null): void {
    if (client.response.destroyed) return;
    client.waiting.push(numbered);
    this.#writeOn(client);
    if (client.waiting.length > this.#limits.waiting) this.#cutOff(client);
  }

  /** As much as its connection takes: none of it leaves within this turn, however well the client reads. */
  #writeOn(client: Client): void {
    const { response, waiting } = client;
    let taken = 0;
    while (!client.isBusy && taken < waiting.length) {
      const numbered = waiting[taken] ?? null;
      client.isBusy = !response.write(numbered === null ? SIGN : this.#bytesOf(numbered));
      taken += 1;
    }
    waiting.splice(0, taken);
  }

  #cutOff({ response }: Client): void {
    if (response.destroyed) return;
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
    const { size } = this.#clients;
    this.#parts.onCount(size);
    if (size === 0 && this.#timer !== null) clearInterval(this.#timer);
    if (size === 0) this.#timer = null;
    else this.#timer ??= setInterval(this.#sign, SIGN_INTERVAL_MS).unref();
  }

  /** Signs are counted and no time is taken: a server that was stopped for a while must not find all others too slow. */
  readonly #sign = (): void => {
    for (const client of this.#clients) {
      if (client.isBusy) client.idleSigns += 1;
      if (client.idleSigns > IDLE_SIGNS) this.#cutOff(client);
      else this.#write(client, null);
    }
  };
}

/** An event, as browsers do not show comments to a page. */
const SIGN = Buffer.from('event: here\ndata: {}\n\n');

/** JSON has no line feed, so that a line of data is one. */
function textOf({ id, event }: NumberedEvent): string {
  const number = id === null ? '' : `id: ${id}\n`;
  return `${number}event: ${event.name}\ndata: ${JSON.stringify(event.data)}\n\n`;
}
