// The port of a node stays open to its peers, whoever else holds connections to it.
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { PeerNode } from '../../src/peers/peer-node.ts';
import { PeerServer } from '../../src/peers/peer-server.ts';
import { sendWord } from '../../src/peers/send-word.ts';
import type { Word } from '../../src/peers/send-word.ts';
import { BootClock } from '../../src/runtime/boot-clock.ts';
import { freePort } from '../support/free-port.ts';

const SECRET = 'no stranger knows this';
const TIMEOUT_MS = 5_000;

it('hears a peer while strangers hold all the connections that they get, and keeps that of the peer', async () => {
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const node = new PeerNode({
    ...{ group: 'g', node: 'a', target: url, peers: [], secret: SECRET, preempts: false },
    ...{ intervalMs: 500, leaseMs: 3_000, clock: new BootClock(), onChange: () => undefined },
  });
  const server = new PeerServer(url, TIMEOUT_MS);
  await server.listen(node);
  await node.begin();
  const strangers = await Promise.all(Array.from({ length: 300 }, () => strangerAt(url)));
  onTestFinished(async () => {
    for (const stranger of strangers) stranger.destroy();
    await node.close();
    await server.close();
  });

  expect(await sendWord(url, wordOf('b'))).toMatchObject({ heartbeat: { node: 'a' } });
  expect(node.counters.heard).toBe(1);
  expect(strangers.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(256);
});

async function strangerAt(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  // It is ended from the other side, sooner or later.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

function wordOf(node: string): Word {
  const heartbeat = {
    ...{ node, run: `${node}-1`, seq: 1, target: `http://${node}`, epoch: 0, about: '' },
    ...{ bid: null, leads: false, term: null, supports: null, doubles: [] },
    ...{ leaving: false, leaseMs: 3_000 },
  };
  return {
    message: { group: 'g', heartbeat },
    secret: SECRET,
    timeoutMs: TIMEOUT_MS,
    counts: true,
  };
}
