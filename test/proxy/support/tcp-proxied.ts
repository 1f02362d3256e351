// A proxy in tcp mode, servers that stand for primaries, and clients of both.
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { loadProxyOptions } from '../../../src/config/load-proxy.ts';
import type { ProxyLimits } from '../../../src/config/load-proxy.ts';
import type { PrimaryTerm } from '../../../src/proxy/primary-source.ts';
import { TcpProxy } from '../../../src/proxy/tcp-proxy.ts';

export interface TcpProxied {
  readonly proxy: TcpProxy;
  readonly port: number;
  readonly refused: string[];
}

/** One that nobody has told of a primary yet; it ends with the test. */
export async function startTcpProxy(
  changed: Partial<ProxyLimits> = {},
  timing: { readonly watchAfterMs?: number } = {},
): Promise<TcpProxied> {
  const defaults = loadProxyOptions({ flags: { listen: '127.0.0.1:0', mode: 'tcp' }, env: {} });
  const refused: string[] = [];
  const proxy = new TcpProxy(
    { ...defaults, ...changed },
    { onRefused: (code) => void refused.push(code) },
    timing,
  );
  const port = await proxy.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => proxy.destroy());
  return { proxy, port, refused };
}

export interface TcpPrimary {
  readonly term: PrimaryTerm;
  /** The connections that are open. */
  readonly connections: Set<Socket>;
}

/** Does with each connection what it is told; it ends with the test. */
export async function startTcpPrimary(
  epoch: number,
  attend: (connection: Socket) => void,
): Promise<TcpPrimary> {
  const connections = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    connections.add(connection);
    connection.on('error', () => undefined);
    connection.on('close', () => connections.delete(connection));
    attend(connection);
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
    });
  });
  onTestFinished(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  return { term: { node: 'a', epoch, target: `tcp://127.0.0.1:${String(port)}` }, connections };
}
