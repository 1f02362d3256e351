// Programs that elect one of themselves over real HTTP on this machine.
import { onTestFinished } from 'vitest';
import { PeersElection } from '../../../src/library/peers-election.ts';
import type { PeersElectionOptions } from '../../../src/library/peers-election.ts';
import { serve } from './http-servers.ts';
import type { HttpServer } from './http-servers.ts';

export const SECRET = 'a secret of this test';

export interface Peer {
  readonly election: PeersElection;
  readonly server: HttpServer;
}

/** They know each other's addresses, also their own; not started. */
export async function peersOf(
  ids: readonly string[],
  options: Partial<PeersElectionOptions> = {},
): Promise<Peer[]> {
  const servers = await Promise.all(ids.map(() => serve()));
  const peers = servers.map(({ url }) => url);
  return ids.map((nodeId, index) => {
    const server = servers[index];
    if (server === undefined) throw new Error('each has a server');
    return peerAt(server, { nodeId, peers, secret: SECRET, ...options });
  });
}

/** One more program at a server. */
export function peerAt(server: HttpServer, options: Partial<PeersElectionOptions>): Peer {
  const election = new PeersElection({ localTarget: server.url, ...options });
  onTestFinished(() => election.close());
  server.listener = (request, response) => {
    if (!election.handleHeartbeat(request, response)) response.writeHead(404).end();
  };
  return { election, server };
}
