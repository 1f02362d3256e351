// Nodes, raw peers and child processes on real sockets in a temporary directory.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished, vi } from 'vitest';
import { Router, XPublisher } from 'zeromq';
import type { Announcement } from '../../../src/core/effect.ts';
import type { Endpoints, LeaseHolder, StandbyInfo } from '../../../src/core/state.ts';
import type { Bus, BusEvent } from '../../../src/runtime/ports.ts';
import { Transport } from '../../../src/transport/bus.ts';
import type { TransportOptions } from '../../../src/transport/bus.ts';
import type { GroupOptions } from '../../../src/transport/group-bus.ts';
import { callOnce } from '../../../src/transport/rpc-client.ts';

/** A private directory, removed after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fo-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** A transport that is closed after the test. */
export function openTransport(
  directory: string,
  options: Omit<TransportOptions, 'directory'> = {},
): Transport {
  const transport = new Transport({ directory, ...options });
  onTestFinished(() => transport.close());
  return transport;
}

export interface TestNode {
  readonly bus: Bus;
  readonly transport: Transport;
  readonly events: BusEvent[];
  readonly holder: LeaseHolder;
}

/** One node on this transport, which keeps what it was told. */
export function openNode(
  transport: Transport,
  nodeId: string,
  options: Partial<GroupOptions> = {},
): TestNode {
  const events: BusEvent[] = [];
  const run = options.run ?? `${nodeId}-run`;
  const bus = transport.openGroup({
    group: 'web',
    nodeId,
    run,
    version: '1.2.3',
    startedAt: '2026-01-01T00:00:00.000Z',
    describe: () => ({ epoch: 7, role: 'primary' }),
    onEvent: (event) => {
      events.push(event);
    },
    onRequest: () => Promise.resolve({ detail: 'done' }),
    ...options,
  });
  return { bus, transport, events, holder: { node: nodeId, run, endpoints: transport.endpoints } };
}

export function heartbeat(epoch = 1): Announcement {
  return {
    kind: 'heartbeat',
    epoch,
    phase: 'primary',
    uptimeMs: 5,
    succession: ['b', 'c'],
    lastTakeover: null,
  };
}

export function standbyInfo(node = 'b'): StandbyInfo {
  return {
    node,
    run: `${node}-run`,
    willing: true,
    priority: 100,
    standby: 'armed',
    version: '1.2.3',
    standingByMs: 12.5,
  };
}

/** Waits until the callback no longer throws; fails with its last error. */
export async function eventually(callback: () => void): Promise<void> {
  await vi.waitFor(callback, { timeout: 15_000, interval: 2 });
}

/** Repeats until it shows: a subscription takes a moment to reach the publisher. */
export async function publishUntil(publish: () => void, arrived: () => boolean): Promise<void> {
  await eventually(() => {
    publish();
    if (!arrived()) throw new Error('nothing has arrived yet');
  });
}

/** Another program's sockets at a node's addresses: they say whatever the test wants. */
export async function openRawPeer(
  directory: string,
  name = 'raw',
): Promise<{ publisher: XPublisher; router: Router; holder: LeaseHolder }> {
  const endpoints = {
    bus: `ipc://${join(directory, `${name}.bus`)}`,
    rpc: `ipc://${join(directory, `${name}.rpc`)}`,
  };
  const publisher = new XPublisher({ linger: 0, sendTimeout: 0 });
  const router = new Router({ linger: 0, sendTimeout: 0 });
  onTestFinished(() => {
    publisher.close();
    router.close();
  });
  await publisher.bind(endpoints.bus);
  await router.bind(endpoints.rpc);
  return { publisher, router, holder: { node: 'raw', run: 'raw-run', endpoints } };
}

/** The frames of a heartbeat as any version of any program could send it. */
export function rawHeartbeat(fields: Readonly<Record<string, unknown>> = {}): [string, string] {
  const body = {
    v: 1,
    group: 'web',
    node: 'raw',
    run: 'raw-run',
    epoch: 1,
    seq: 1,
    sentAt: '2026-01-01T00:00:00.000Z',
    phase: 'primary',
    uptimeMs: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    succession: [],
    lastTakeover: null,
    ...fields,
  };
  return ['web/heartbeat', JSON.stringify(body)];
}

/** A node in a process of its own; ended after the test. */
export async function startPeer(
  directory: string,
  { group = 'web', node = 'peer', task = 'serve' } = {},
): Promise<{ child: ChildProcess; holder: LeaseHolder }> {
  const script = join(import.meta.dirname, 'peer.js');
  const run = `${node}-run`;
  const child = spawn(process.execPath, [script, directory, group, node, run, task], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const line = await new Promise<string>((resolve) => {
    createInterface(child.stdout).once('line', resolve);
  });
  // The first line of peer.js is the JSON of its endpoints.
  const endpoints = JSON.parse(line) as Endpoints;
  return { child, holder: { node, run, endpoints } };
}

/** Publishes until the follower has heard that many heartbeats more of this node. */
export async function beatUntilHeard(from: TestNode, follower: TestNode, more = 1): Promise<void> {
  const heard = (): number =>
    follower.events.filter(
      (event) => event.type === 'heartbeat-received' && event.run === from.holder.run,
    ).length;
  const enough = heard() + more;
  await publishUntil(
    () => {
      from.bus.publish(heartbeat());
    },
    () => heard() >= enough,
  );
}

/** A node that answers requests like this. */
export function serveWith(onRequest: GroupOptions['onRequest']): TestNode {
  return openNode(openTransport(temporaryDirectory()), 'a', { onRequest });
}

/** One request to a node, on a connection of its own. */
export function call(
  node: TestNode,
  method: Parameters<typeof callOnce>[1]['method'],
  params: Readonly<Record<string, unknown>> = {},
): Promise<unknown> {
  return callOnce(node.transport.endpoints.rpc, {
    method,
    params: { group: 'web', ...params },
    timeoutMs: 15_000,
  });
}
