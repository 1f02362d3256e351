// The server of HTTP: of a node it listens before that starts, and answers until it has ended.
import { createAdaptorServer } from '@hono/node-server';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../config/proxy-address.ts';
import { listenAt } from '../transport/listen-at.ts';
import { monotonicNow } from '../runtime/clock.ts';
import { Access } from './access.ts';
import { httpApp } from './app.ts';
import type { AppParts } from './app.ts';
import { EventClients } from './event-clients.ts';
import type { EventClientsParts } from './event-clients.ts';
import { HttpMeters } from './http-meters.ts';
import type { TokenCheck } from './token.ts';

/** More than a few that watch over it, and fewer than would cost the node the descriptors that it works with. */
const MOST_CONNECTIONS = 256;

/** What asks whether all is well asks briefly. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
} as const;

export interface HttpServer {
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** Only this machine reaches it. */
  readonly isLocal: boolean;
  /** At once: who asks after the end has no node to ask about. */
  readonly close: () => Promise<void>;
}

export interface HttpServerParts extends Pick<AppParts, 'groups' | 'look' | 'isEnding' | 'page'> {
  /** Of the nodes here; left out: there are none, and nothing is measured. */
  readonly metrics?: AppParts['metrics'];
  /** Null: nothing can be changed. */
  readonly token: TokenCheck | null;
  /** How to get a token, for callers that have none. */
  readonly tokenHint: string;
  /** Of the one that gave the address, for an error. */
  readonly option?: string;
  readonly eventLimits?: EventClientsParts['limits'];
}

/** @throws as `listenAt` */
export async function openHttpServer(
  address: ListenAddress,
  parts: HttpServerParts,
): Promise<HttpServer> {
  const { host } = address;
  const { groups, look, isEnding, page, metrics, token, tokenHint, eventLimits } = parts;
  const meters = new HttpMeters();
  const events = new EventClients({
    ...{ groups, onCount: meters.eventClients, onCutOff: meters.cutOff },
    ...(eventLimits === undefined ? {} : { limits: eventLimits }),
  });
  const access = new Access({
    ...{ token, hint: tokenHint, now: monotonicNow, onRefused: meters.tokenRefused },
  });
  const app = httpApp({
    ...{ groups, access, events, onAnswer: meters.count },
    ...(look === undefined ? {} : { look }),
    ...(isEnding === undefined ? {} : { isEnding }),
    ...(page === undefined ? {} : { page }),
    ...(metrics === undefined ? {} : { metrics: withMeters(metrics, meters) }),
    isLocal: () => isLoopback(server.address()),
  });
  // A request of HTTP/1.0 may name no host.
  const naming = { hostname: 'localhost', overrideGlobalObjects: false } as const;
  const server = createAdaptorServer({
    ...{ fetch: app.fetch, serverOptions: LIMITS },
    ...naming,
  }) as Server; // as no other kind was asked for
  server.maxConnections = MOST_CONNECTIONS;
  const port = await listenAt(server, address, parts.option ?? '--http');
  // Of one connection: the next one may do better.
  server.on('error', () => undefined);
  const shown = host === null ? '*' : host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${String(port)}`,
    isLocal: isLoopback(server.address()),
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        events.close();
        server.closeAllConnections();
      });
    },
  };
}

/** What is measured of the server itself comes after what is measured of its nodes. */
function withMeters(
  { type, text }: NonNullable<AppParts['metrics']>,
  meters: HttpMeters,
): NonNullable<AppParts['metrics']> {
  return { type, text: async () => `${await text()}\n${await meters.text()}` };
}

/** As the system has bound it: a name, or another spelling of an address, may be that of this machine alone. */
function isLoopback(bound: string | AddressInfo | null): boolean {
  return bound !== null && typeof bound !== 'string' && LOOPBACK.test(bound.address);
}

const LOOPBACK = /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1)$/i;
