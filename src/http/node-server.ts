// The HTTP server of a node: it listens before the node starts, and answers until it has ended.
import { createAdaptorServer } from '@hono/node-server';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../config/proxy-address.ts';
import { listenAt } from '../transport/listen-at.ts';
import { nodeApp } from './node-app.ts';
import type { NodeAppParts } from './node-app.ts';

/** More than a few that watch over it, and fewer than would cost the node the descriptors that it works with. */
const MOST_CONNECTIONS = 256;

/** What asks whether all is well asks briefly. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
} as const;

export interface NodeServer {
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** At once: who asks after the end has no node to ask about. */
  readonly close: () => Promise<void>;
}

/** @throws as `listenAt` */
export async function openNodeServer(
  address: ListenAddress,
  parts: Omit<NodeAppParts, 'isLocal'>,
): Promise<NodeServer> {
  const { host } = address;
  const app = nodeApp({ ...parts, isLocal: () => isLoopback(server.address()) });
  // A request of HTTP/1.0 may name no host.
  const naming = { hostname: 'localhost', overrideGlobalObjects: false } as const;
  const server = createAdaptorServer({
    ...{ fetch: app.fetch, serverOptions: LIMITS },
    ...naming,
  }) as Server; // as no other kind was asked for
  server.maxConnections = MOST_CONNECTIONS;
  const port = await listenAt(server, address, '--http');
  // Of one connection: the next one may do better.
  server.on('error', () => undefined);
  const shown = host === null ? '*' : host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${String(port)}`,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
    },
  };
}

/** As the system has bound it: a name, or another spelling of an address, may be that of this machine alone. */
function isLoopback(bound: string | AddressInfo | null): boolean {
  return bound !== null && typeof bound !== 'string' && LOOPBACK.test(bound.address);
}

const LOOPBACK = /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1)$/i;
