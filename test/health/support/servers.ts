// Servers to be checked: on a free port of this machine, gone with the test.
import { createServer as createHttpServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** The port of a server for HTTP. */
export function httpServer(listener: RequestListener, host = '127.0.0.1'): Promise<number> {
  return listening(createHttpServer(listener), host);
}

/** The port of a server for whatever is done with each connection. */
export function tcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  return listening(createServer(onConnection), '127.0.0.1');
}

/** A port at which nobody listens, as far as anybody can tell. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listening(server, '127.0.0.1');
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(server: Server, host: string): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, host, resolve);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  // A listening TCP server has an address with a port.
  return (server.address() as AddressInfo).port;
}
