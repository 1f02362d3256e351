// Sockets that get everything but what they expect: nobody's role changes, and status says what was refused.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setImmediate as breathe } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { Dealer, Publisher, Subscriber } from 'zeromq';
import { BODY_LIMIT_BYTES } from '../../src/transport/checks.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import { CALM } from '../support/process-steps.ts';

/** How often each kind of garbage is sent. */
const ROUNDS = 200;

/** What a process may grow by while it is flooded, bytes: far less than all that it is sent. */
const GROWTH_LIMIT_BYTES = 64 * 2 ** 20;

const OWN_MOUNTS = ['unshare', '-m'] as const;
const mayMount = spawnSync(OWN_MOUNTS[0], [OWN_MOUNTS[1], 'true']).status === 0;

it.runIf(mayMount)('go on through a flood of garbage, and count what they refused', () =>
  inGroup(async (group) => {
    const a = await group.start('a');
    await group.reaches(a, 'serving');
    await group.active(1);
    const relay = await standBetween(group);
    const b = await group.start('b', { through: relay.through });
    await group.reaches(b, 'watching');
    await group.until('b to hear a through the relay', () => relay.heard.length > 0);
    await group.beats(3);
    const before = [a, b].map((node) => [node.transitions.length, memoryOf(node)] as const);

    for (const path of group.socketsOf(b)) await floodConnection(path);
    for (const path of relay.socketsOfPrimary) await floodConnection(path);
    for (const path of [relay.rpcOfPrimary, rpcOf(group, 'b')]) await floodRequests(path);
    await relay.flood();
    await group.beats(10);

    expect(await counted(group, { id: 'b', kind: 'rejected', atLeast: 7 })).toEqual([
      ...['bad-field', 'foreign-group', 'foreign-node', 'malformed', 'oversized', 'replayed'],
      'unknown-version',
    ]);
    for (const id of ['a', 'b']) {
      expect(await counted(group, { id, kind: 'requestsRejected', atLeast: 6 })).toEqual([
        ...['bad-params', 'invalid', 'malformed', 'oversized', 'unknown-group', 'unknown-method'],
      ]);
    }
    const isShown = /^refused +b: \d+ messages \(/m;
    while (!isShown.test((await group.client('status')).stdout)) await group.beats(1);

    for (const [index, node] of [a, b].entries()) {
      const [transitions, bytes] = before[index] ?? [0, 0];
      expect(node.transitions).toHaveLength(transitions);
      expect(memoryOf(node) - bytes).toBeLessThan(GROWTH_LIMIT_BYTES);
    }
    expect([a.phase, b.phase, group.starts]).toEqual(['serving', 'watching', 1]);
    // A connection that breaks is a reason to look: the one that is asked then answers.
    await relay.overflow();
    await group.reaches(b, 'watching', 2);
    expect([a.phase, group.starts]).toEqual(['serving', 1]);

    // They are as alert as before.
    a.kill('SIGKILL');
    await group.reaches(b, 'serving');
    expect((await group.active(2)).epoch).toBe(2);
  }, CALM),
);

interface Relay {
  /** The topics of what the primary has published. */
  readonly heard: readonly string[];
  readonly rpcOfPrimary: string;
  /** The words of a program that becomes a follower. */
  readonly through: readonly string[];
  readonly socketsOfPrimary: readonly string[];
  /** Publishes garbage among what the primary publishes. */
  flood(): Promise<void>;
  /** Publishes one frame that is so long that it costs the connection. */
  overflow(): Promise<void>;
}

/** Publishes for the only node there is: who follows it in a mount namespace of its own comes to us. */
async function standBetween(group: Group): Promise<Relay> {
  const [record] = group.records();
  if (record === undefined) throw new Error('no node is on record');
  const { bus = '', rpc = '' } = record.endpoints;
  const publisher = new Publisher({ linger: 0 });
  const subscriber = new Subscriber({ linger: 0 });
  onTestFinished(() => {
    subscriber.close();
    publisher.close();
  });
  const own = group.path('relay.bus');
  await publisher.bind(`ipc://${own}`);
  subscriber.connect(bus);
  subscriber.subscribe('');
  const heard: string[] = [];
  let last = '';
  void (async () => {
    for await (const [topic, body] of subscriber) {
      if (topic === undefined || body === undefined) continue;
      heard.push(String(topic));
      last = String(body);
      await publisher.send([topic, body]);
    }
  })().catch(() => undefined);
  return {
    heard,
    rpcOfPrimary: pathOf(rpc),
    socketsOfPrimary: [bus, rpc].map(pathOf),
    through: [...OWN_MOUNTS, 'sh', '-c', `mount --bind ${own} ${pathOf(bus)} && exec "$@"`, 'sh'],
    flood: async () => {
      await group.until('a heartbeat to bend', () => last !== '');
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const frames of messages(last)) await publisher.send(frames);
        await breathe();
      }
    },
    overflow: () => publisher.send(['g/heartbeat', 'x'.repeat(5 * BODY_LIMIT_BYTES)]),
  };
}

/** A heartbeat bent in each way that there is a reason to refuse it for. */
function messages(heartbeat: string): string[][] {
  // What a node has published just now.
  const fields = JSON.parse(heartbeat) as Readonly<Record<string, unknown>>;
  const bent = (change: object): string[] => [
    'g/heartbeat',
    JSON.stringify({ ...fields, ...change }),
  ];
  return [
    bent({ seq: 1 }),
    bent({ v: 2 }),
    bent({ group: 'other' }),
    bent({ node: 'other', run: 'other', seq: 1e9, epoch: 1e9 }),
    bent({ epoch: 'high' }),
    bent({ epoch: -1 }),
    ['g/shutdown', heartbeat],
    ['g/heartbeat', heartbeat.slice(0, 40)],
    ['g/heartbeat'],
    ['g/heartbeat', heartbeat, 'more'],
    ['g/heartbeat', 'x'.repeat(BODY_LIMIT_BYTES + 1)],
    ['g/heartbeat', '['.repeat(BODY_LIMIT_BYTES)],
  ];
}

async function floodRequests(path: string): Promise<void> {
  const dealer = new Dealer({ linger: 0 });
  dealer.connect(`ipc://${path}`);
  try {
    const request = { jsonrpc: '2.0', id: '1', method: 'instance.promote', params: {} };
    const bodies: string[][] = [
      ['{'],
      ['[]'],
      [JSON.stringify(request)],
      [JSON.stringify({ ...request, params: { group: 'other' } })],
      [JSON.stringify({ ...request, method: 'constructor' })],
      ['x'.repeat(BODY_LIMIT_BYTES + 1)],
      ['a', 'b', 'c', 'd'],
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const frames of bodies) await dealer.send(frames);
      // Answers are read now and then only: what is not taken may not pile up at the node.
      if (round % 10 === 0) await dealer.receive();
    }
    // So long that it costs the connection.
    await dealer.send('x'.repeat(5 * BODY_LIMIT_BYTES));
  } finally {
    dealer.close();
  }
}

/** Connections that speak no ZeroMQ, stop in the middle of its greeting, or go on after it with noise. */
async function floodConnection(path: string): Promise<void> {
  const greeting = Buffer.alloc(64);
  greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
  greeting.write('NULL', 12);
  const noise = Buffer.alloc(4096, 'GET / HTTP/1.1\r\n');
  const openings = [noise, greeting.subarray(0, 11), Buffer.concat([greeting, noise])];
  for (let round = 0; round < 60; round += 1) {
    await new Promise<void>((resolve) => {
      const socket = connect(path);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          resolve();
        });
      socket.end(openings[round % openings.length] ?? noise);
      socket.resume();
    });
  }
}

/** The causes that a node has counted, in order, once there are so many: it may still be busy with them. */
async function counted(
  group: Group,
  { id, kind, atLeast }: { id: string; kind: string; atLeast: number },
): Promise<readonly string[]> {
  for (;;) {
    const { stdout } = await group.client('status', '--json');
    // What `status --json` prints, whose form other tests check.
    const { nodes } = JSON.parse(stdout) as {
      nodes: { id: string; transport: Record<string, Record<string, number>> | null }[];
    };
    const counts = nodes.find((node) => node.id === id)?.transport?.[kind] ?? {};
    const causes = Object.keys(counts).filter((cause) => (counts[cause] ?? 0) > 0);
    if (causes.length >= atLeast) return causes.sort();
    await group.beats(1);
  }
}

function rpcOf(group: Group, id: string): string {
  return pathOf(group.records().find(({ node }) => node === id)?.endpoints['rpc'] ?? '');
}

function pathOf(endpoint: string): string {
  return endpoint.slice('ipc://'.length);
}

/** The resident memory of a node's process, bytes. */
function memoryOf({ pid }: NodeProcess): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
