// A proxy on a port of its own, servers that stand for primaries, and clients.
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Server, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { loadProxyOptions } from '../../../src/config/load-proxy.ts';
import type { HttpProxyOptions } from '../../../src/config/load-proxy.ts';
import { HttpProxy } from '../../../src/proxy/http-proxy.ts';
import type { PrimaryTerm } from '../../../src/proxy/primary-source.ts';

export interface Proxied {
  readonly proxy: HttpProxy;
  readonly port: number;
  /** What was refused, in order. */
  readonly refused: string[];
  /** How many are held, and how many under way. */
  readonly load: () => readonly [held: number, underWay: number];
}

/** One that nobody has told of a primary yet; it ends with the test. */
export async function startProxy(changed: Partial<HttpProxyOptions> = {}): Promise<Proxied> {
  const defaults = loadProxyOptions({ flags: { listen: '127.0.0.1:0' }, env: {} });
  const refused: string[] = [];
  const proxy = new HttpProxy(
    { ...defaults, ...changed },
    { onRefused: (code) => refused.push(code) },
  );
  const port = await proxy.listen(defaults.listen);
  onTestFinished(() => proxy.destroy());
  const load = (): readonly [number, number] => {
    const { held, underWay } = proxy.report();
    return [held, underWay];
  };
  return { proxy, port, refused, load };
}

export interface Primary {
  readonly term: PrimaryTerm;
  /** What has come: `POST /x`. */
  readonly requests: string[];
  /** Kills it: its connections break off, and nobody listens any more. */
  readonly kill: () => void;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers each request once it is whole, with its method, path and the length of its body; it ends with the test. */
export async function startPrimary(
  node: string,
  epoch: number,
  handler: Handler = echo,
): Promise<Primary> {
  const requests: string[] = [];
  const server = createServer((incoming, response) => {
    requests.push(`${incoming.method ?? ''} ${incoming.url ?? ''}`);
    handler(incoming, response);
  });
  const port = await listening(server);
  const kill = (): void => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(kill);
  return { term: { node, epoch, target: `http://127.0.0.1:${String(port)}` }, requests, kill };
}

export const echo: Handler = (incoming, response) => {
  let length = 0;
  incoming.on('data', (chunk: Buffer) => (length += chunk.length));
  incoming.on('end', () => {
    response.end(`${incoming.method ?? ''} ${incoming.url ?? ''} ${String(length)}`);
  });
};

/** Never answers. */
export const silence: Handler = () => undefined;

export interface Asking {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Told {
  /** 0: the connection broke. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As much of it as came. */
  readonly body: string;
  /** The answer came to its end. */
  readonly isWhole: boolean;
}

/** Over a connection of its own. */
export function ask(
  port: number,
  { method = 'GET', path = '/', body, headers = {} }: Asking = {},
): Promise<Told> {
  return new Promise((resolve) => {
    const broken = (): void => {
      resolve({ status: 0, headers: {}, body: '', isWhole: false });
    };
    const sent = request({ port, host: '127.0.0.1', method, path, headers, agent: false });
    sent.on('error', broken);
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('error', () => undefined);
      response.on('close', () => {
        const { statusCode: status = 0, headers: got, complete: isWhole } = response;
        resolve({ status, headers: got, body: text, isWhole });
      });
    });
    sent.end(body);
  });
}

export interface RawClient {
  readonly socket: Socket;
  /** All that has come. */
  readonly text: () => string;
  /** Resolves with all that has come, when it is closed. */
  readonly closed: Promise<string>;
}

/** Sends these bytes and nothing else; it ends with the test. */
export function rawClient(port: number, bytes: string): RawClient {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  onTestFinished(() => {
    socket.destroy();
  });
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => {
      resolve(text);
    });
  });
  return { socket, text: () => text, closed };
}

export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens at no port');
  return address.port;
}
