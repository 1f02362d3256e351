// A group as a client finds it: real directories, real sockets, and nodes that are not what they seem.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ask,
  awaitPrimary,
  livingNodes,
  lookAtGroup,
  nodeNamed,
  primaryOf,
} from '../../src/cli/client.ts';
import { setPaused } from '../../src/cli/pausing.ts';
import type { StoreSight } from '../../src/cli/store-sight.ts';
import { ownIdentity } from '../../src/fence/process-identity.ts';
import { FileLease } from '../../src/lease/file/file-lease.ts';
import type { NodeRecord } from '../../src/lease/lease-store.ts';
import type { NodeStatus } from '../../src/runtime/node-status.ts';
import { Transport } from '../../src/transport/bus.ts';
import { failureOf } from '../support/failover-error.ts';
import { record, primaryStatus, statusOf } from './support/snapshot.ts';

let stateDir: string;
const cleanUp: (() => Promise<unknown> | undefined)[] = [];

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'failover-client-'));
});

afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
  rmSync(stateDir, { recursive: true, force: true });
});

describe('a look at a group', () => {
  it('finds nothing where there is nothing, makes nothing, and names what is there', async () => {
    mkdirSync(join(stateDir, 'api'));
    const snapshot = await lookAtGroup({ group: 'web', stateDir });
    expect(snapshot.nodes).toEqual([]);
    expect(snapshot.paths).toBeNull();
    expect(snapshot.elsewhere).toEqual([`The group in ${stateDir} is api: give \`--group api\`.`]);
  });

  it('shows the holder of the lease as primary, and asks each node itself', async () => {
    await startNode('a', primaryStatus('a'));
    await startNode('b', statusOf('b'));
    const snapshot = await lookAtGroup({ group: 'web', stateDir });
    expect(primaryOf(snapshot)?.record.node).toBe('a');
    expect(livingNodes(snapshot).map(({ presence }) => presence)).toEqual(['answers', 'answers']);
    expect(nodeNamed(snapshot, 'b').status?.role).toBe('secondary');
  });

  it('does not show a node as alive whose process is another by now', async () => {
    await startNode('a', primaryStatus('a'));
    // The pid lives (it is ours), and was started at another time.
    writeRecord(record('d', { supervisor: { ...ownIdentity(), startTime: '1' } }));
    const snapshot = await lookAtGroup({ group: 'web', stateDir });
    expect(livingNodes(snapshot).map((node) => node.record.node)).toEqual(['a']);
    const presence = snapshot.nodes.find((node) => node.record.node === 'd')?.presence;
    expect(presence).toBe('gone');
  });

  it('shows a node as unresponsive that takes the connection and says nothing', async () => {
    const path = join(stateDir, 'mute.rpc');
    await mute(path);
    await startNode('a', primaryStatus('a'));
    const endpoints = { bus: 'ipc:///nowhere.bus', rpc: `ipc://${path}` };
    writeRecord(record('m', { supervisor: ownIdentity(), endpoints }));
    const snapshot = await lookAtGroup({ group: 'web', stateDir });
    const node = nodeNamed(snapshot, 'm');
    expect(node.presence).toBe('unresponsive');
    expect(node.silence).toMatch(/\d+ ?ms/);
  });

  it('shows a node as unresponsive whose answer can not be read', async () => {
    await startNode('a', primaryStatus('a'));
    await startNode('o', { v: 2 });
    const node = nodeNamed(await lookAtGroup({ group: 'web', stateDir }), 'o');
    expect(node).toMatchObject({ presence: 'unresponsive', status: null });
    expect(node.silence).toContain('version');
  });

  it('names the nodes that live when one is asked for that does not', async () => {
    await startNode('a', primaryStatus('a'));
    const snapshot = await lookAtGroup({ group: 'web', stateDir });
    expect(() => nodeNamed(snapshot, 'zz')).toThrow('live nodes: a');
  });

  it('says on which machine a node runs that only the server of the lease knows', async () => {
    await startNode('a', primaryStatus('a'));
    const snapshot = await lookAtGroup({ group: 'web', stateDir });
    const store = storeWith('b', 'h2');
    const thrown = failureOf(() => nodeNamed({ ...snapshot, store }, 'b'));
    expect(thrown.message).toBe('Cannot reach node b in group web from here: it runs on h2');
    expect(thrown.hint).toBe('Run the command on h2.');
  });

  it('says that nodes of other machines are reached there, where the lease is on a server', async () => {
    const { lease } = primaryStatus('a');
    await startNode('a', primaryStatus('a', { lease: { ...lease, kind: 'redis' } }));
    const snapshot = await lookAtGroup({ group: 'web', stateDir });
    const thrown = failureOf(() => nodeNamed(snapshot, 'b'));
    expect(thrown.message).toContain('live nodes on this machine: a');
    expect(thrown.hint).toBe('If b is on another machine, run the command there.');
  });
});

describe('a pause', () => {
  it('is durable without any node, and ends the same way', async () => {
    const options = { group: 'web', stateDir };
    expect((await setPaused(options, true)).changed).toBe(true);
    expect((await lookAtGroup(options)).observation.paused).toBe(true);
    expect((await lookAtGroup(options)).pause?.by).toMatch(/.@./);
    expect((await setPaused(options, true)).changed).toBe(false);
    expect((await setPaused(options, false)).changed).toBe(true);
    expect((await lookAtGroup(options)).observation.paused).toBe(false);
  });

  it('is asked of a node where one answers', async () => {
    const methods = await startNode('a', primaryStatus('a', { paused: true }));
    const { unaware } = await setPaused({ group: 'web', stateDir }, true);
    expect(methods).toContain('instance.pause');
    expect(unaware).toEqual([]);
  });

  it('names who has not said in time that it knows', async () => {
    await startNode('a', primaryStatus('a', { paused: false }));
    expect((await setPaused({ group: 'web', stateDir }, true)).unaware).toEqual(['a']);
  });
});

it('an error of the other node comes back as itself', async () => {
  await startNode('a', primaryStatus('a'));
  const node = nodeNamed(await lookAtGroup({ group: 'web', stateDir }), 'a');
  const question = { group: 'other', method: 'instance.status', timeoutMs: 5000 } as const;
  await expect(ask(node.record, question)).rejects.toMatchObject({ code: 'FAILOVER_NO_NODE' });
});

it('tells of a node that does not answer how long it was to be waited for in all', async () => {
  const socket = join(stateDir, 'mute.rpc');
  await mute(socket);
  const endpoints = { bus: `ipc://${socket}`, rpc: `ipc://${socket}` };
  const silent = { ...record('b', { endpoints }), alive: true };
  const question = { group: 'web', method: 'instance.promote', timeoutMs: 39.6 } as const;
  await expect(ask(silent, { ...question, limitMs: 1000 })).rejects.toMatchObject({
    code: 'FAILOVER_TIMED_OUT',
    message: 'No answer from b within 1s',
  });
  await expect(ask(silent, question)).rejects.toThrow('No answer from b within 40ms');
});

/** A node of this very process: registered, listening, and holding the lease if it says that it leads. */
async function startNode(id: string, answer: NodeStatus | { v: number }): Promise<string[]> {
  const methods: string[] = [];
  const transport = new Transport({ directory: join(stateDir, 'sockets') });
  cleanUp.push(() => transport.close());
  transport.openGroup({
    group: 'web',
    nodeId: id,
    run: `run-${id}`,
    version: '0.1.0',
    startedAt: '2026-03-01T11:58:28.000Z',
    describe: () => ({ epoch: 1, role: 'secondary' }),
    onEvent: () => undefined,
    onRequest: (method) => {
      methods.push(method);
      return Promise.resolve(answer);
    },
  });
  const { endpoints } = transport;
  const own = { ...record(id), supervisor: ownIdentity(), endpoints };
  const lease = FileLease.open({ stateDir, record: own });
  cleanUp.push(() => lease.close());
  if ('role' in answer && answer.role === 'primary') await lease.acquire(6);
  return methods;
}

/** A record as a node that is no part of this test would have left it. */
function writeRecord(content: NodeRecord): void {
  writeFileSync(join(stateDir, 'web', 'nodes', `${content.run}.json`), JSON.stringify(content));
}

/** Something that takes connections and never says a word. */
async function mute(path: string): Promise<void> {
  const server: Server = createServer((socket) => {
    cleanUp.push(() => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
}

/** What a server shows that knows of one node, on another machine. */
function storeWith(node: string, host: string): StoreSight {
  const seen = {
    ...{ node, run: `run-${node}`, host, version: '0.1.0', priority: 100, seenAgoMs: 100, pid: 7 },
    ...{ endpoints: { bus: '', rpc: '' }, startedAt: '2026-03-01T11:58:28.000Z' },
    standby: 'cold' as const,
  };
  const nothing = { guards: [], observation: null, events: [], problem: null };
  return { kind: 'redis', shown: 'redis://s:6379/0', ...nothing, nodes: [seen] };
}

describe('the wait for a primary', () => {
  it('ends with its signal', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = awaitPrimary({ group: 'g', stateDir, signal }, 3_600_000);
    controller.abort();
    await expect(waiting).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });
});
