// A list in front of servers that listen on this machine.
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { UpstreamList } from '../../src/upstream/upstream-list.ts';

it('loses few of 50 connections to one of five servers that ends, and the rest go in turn', async () => {
  const servers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(listen));
  const ports = new Map(servers.map(({ id, port }) => [id, port]));
  const list = new UpstreamList({
    upstreams: servers,
    check: ({ port }) => connects(port),
    intervalMs: 60_000,
    timeoutMs: 10_000,
  });
  onTestFinished(() => {
    list.stop();
  });
  await list.start();
  expect(list.status().map(({ score }) => score)).toEqual([2, 2, 2, 2, 2]);
  await closed(servers[2]?.server);
  const served: string[] = [];
  for (let count = 0; count < 50; count += 1) {
    const upstream = list.pick();
    const success = await connects(ports.get(upstream.id) ?? 0);
    list.report(upstream, success);
    if (success) served.push(upstream.id);
  }
  expect(50 - served.length).toBe(3);
  expect(served.join('')).toBe('abde'.repeat(12).slice(0, served.length));
  expect(list.usable.map(({ id }) => id)).toEqual(['a', 'b', 'd', 'e']);
});

interface Listening {
  readonly id: string;
  readonly port: number;
  readonly server: Server;
}

async function listen(id: string): Promise<Listening> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).end();
  });
  onTestFinished(() => closed(server));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has an address of this form.
  const { port } = server.address() as AddressInfo;
  return { id, port, server };
}

function closed(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server?.listening !== true) {
      resolve();
      return;
    }
    server.close(() => {
      resolve();
    });
  });
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => {
      resolve(false);
    });
  });
}
