// Bytes of all kinds for the sockets of the nodes: noise, too much, other groups, old epochs, versions to come.
import { chownSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { Dealer, Publisher } from 'zeromq';
import { Random } from '../../../src/simulation/random.ts';
import type { NodeFile } from '../../support/process-records.ts';
import type { Arena } from '../arena.ts';
import type { Perform } from './fault.ts';

/** Requests that are none, to every node, through ZeroMQ and past it. */
export const fuzzRpc: Perform = async (arena, fault) => {
  const random = new Random(fault.choice);
  const records = arena.group.records();
  const sockets = records.map(({ endpoints }) => dealerTo(endpoints['rpc'] ?? ''));
  const close = arena.undoLater(() => {
    for (const socket of sockets) socket.close();
  });
  let sent = 0;
  const untilMs = performance.now() + fault.forMs;
  do {
    for (const { endpoints } of records) {
      for (const endpoint of Object.values(endpoints)) writeRaw(endpoint, noise(random));
    }
    for (const socket of sockets) {
      for (let i = 0; i < BURST; i += 1) {
        await socket.send(drawRequest(random)).then(() => (sent += 1), ignore);
      }
    }
    await arena.pause(20);
  } while (performance.now() < untilMs);
  await close();
  return `${sent} requests to ${records.length} nodes`;
};

/**
 * Takes the path of the primary's bus away and publishes there, for a newcomer who comes meanwhile: it
 * follows us, until it finds that the primary is heard somewhere else.
 */
export const fuzzBus: Perform = async (arena, fault) => {
  const random = new Random(fault.choice);
  const record = arena.group.records().find(({ node }) => node === arena.primary?.id);
  const endpoint = record?.endpoints['bus'];
  if (record === undefined || endpoint === undefined) return 'skipped: no record of a primary';
  const publisher = new Publisher({ linger: 0, sendHighWaterMark: 100_000 });
  const path = endpoint.slice('ipc://'.length);
  const close = arena.undoLater(() => {
    publisher.close();
    // Ours by now: the primary binds anew, under another name.
    rmSync(path, { force: true });
  });
  try {
    await publisher.bind(endpoint);
    if (arena.uid !== null) chownSync(path, arena.uid, arena.uid);
  } catch (error) {
    await close();
    return `skipped: ${error instanceof Error ? error.message : String(error)}`;
  }
  const newcomer = arena.launch(arena.freshId());
  arena.told.add(newcomer);
  const end = arena.undoLater(async () => {
    newcomer.kill('SIGTERM');
    await arena.until(10_000, () => newcomer.end !== null);
  });
  let sent = 0;
  const untilMs = performance.now() + fault.forMs + START_MS;
  while (performance.now() < untilMs) {
    for (let i = 0; i < BURST; i += 1) {
      await publisher.send(drawMessage(random, record, arena)).then(() => (sent += 1), ignore);
    }
    await arena.pause(10);
  }
  await close();
  await end();
  return `${sent} messages at the primary's path, with a newcomer, ${newcomer.phase}`;
};

const BURST = 50;

const START_MS = 1000;

function dealerTo(endpoint: string): Dealer {
  const socket = new Dealer({ linger: 0, sendTimeout: 20, sendHighWaterMark: 1000 });
  socket.connect(endpoint);
  return socket;
}

/** A connection that speaks anything but ZMTP, or begins to and stops. */
function writeRaw(endpoint: string, bytes: Buffer): void {
  const socket = createConnection(endpoint.slice('ipc://'.length));
  socket.on('error', ignore);
  socket.setTimeout(500, () => socket.destroy());
  socket.end(bytes);
}

function drawRequest(random: Random): (string | Buffer)[] {
  const params = random.pick<unknown>([
    { group: 'g', successor: 7 },
    { group: '../..', expiresAtMs: -1 },
    { group: 'g'.repeat(65) },
    { group: 'other' },
    { group: 'g', standby: { node: '\0', run: [], priority: Infinity } },
    [],
    null,
  ]);
  const method = random.pick([
    ...['instance.ping', 'instance.status', 'instance.demote', 'instance.nothing'],
    ...['__proto__', 'constructor', '', 'x'.repeat(5000)],
  ] as const);
  const version = random.pick(['2.0', '2.0', '3.0', 2] as const);
  const id = random.pick(['1', 1, null, {}, 'y'.repeat(2000)] as const);
  return random.pick<() => (string | Buffer)[]>([
    () => [noise(random)],
    () => [JSON.stringify({ jsonrpc: version, id, method, params })],
    () => ['', JSON.stringify({ jsonrpc: version, id, method, params })],
    () => ['['.repeat(60_000)],
    () => [Buffer.alloc(random.pick([65_537, 262_143, 262_145, 1_000_000]), 'a')],
    () => Array.from({ length: 20 }, () => noise(random)),
    () => ['{"jsonrpc":"2.0","id":"1","method":"instance.ping","params":{"group":"g"'],
  ])();
}

function drawMessage(random: Random, record: NodeFile, arena: Arena): (string | Buffer)[] {
  const epoch = arena.primary?.epoch ?? 1;
  const { node, run } = record;
  const kind = random.pick(['heartbeat', 'role', 'promoted', 'shutdown', 'nothing']);
  const body = {
    ...{ v: 1, group: 'g', node, run, seq: random.below(5), sentAt: '', epoch: epoch - 1 },
    ...{ phase: 'primary', uptimeMs: 1, startedAt: '', succession: [], lastTakeover: null },
    ...{ role: 'primary', reason: '', previous: null, endpoints: record.endpoints },
    ...{ successor: null, completed: true, planned: true, workloadEndedAgoMs: null },
  };
  const of = (changed: object): (string | Buffer)[] => [
    `g/${kind}`,
    JSON.stringify({ ...body, ...changed }),
  ];
  return random.pick<() => (string | Buffer)[]>([
    () => of({}),
    () => of({ v: 2, epoch: epoch + 1 }),
    () => of({ v: '1' }),
    () => of({ group: 'other', epoch: epoch + 1 }),
    () => of({ node: 'stranger', run: 'stranger', epoch: epoch + 1000, seq: 1e6 }),
    () => of({ epoch: -1 }),
    () => of({ epoch: 2 ** 60 }),
    () => of({ succession: Array.from({ length: 5000 }, () => 'x') }),
    () => of({ reason: 'z'.repeat(70_000) }),
    () => [`g/${kind}`, noise(random)],
    () => ['g/', 'x', 'y'],
    () => ['g/heartbeat'],
    () => ['g/heartbeat', Buffer.alloc(300_000, 'b')],
  ])();
}

function noise(random: Random): Buffer {
  return Buffer.from(Array.from({ length: 1 + random.below(300) }, () => random.below(256)));
}

function ignore(): void {
  // What it answers, if anything, is its own affair.
}
