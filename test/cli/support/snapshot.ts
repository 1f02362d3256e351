// Groups as a client finds them, made up: every value fixed, so that what is rendered can be compared.
import type { GroupSnapshot, SeenNode } from '../../../src/cli/client.ts';
import { groupPaths } from '../../../src/lease/file/group-paths.ts';
import type { RegisteredNode } from '../../../src/lease/file/node-registry.ts';
import { bootId, ownIdentity } from '../../../src/fence/process-identity.ts';
import { loadRunOptions } from '../../../src/config/load.ts';
import { setupOf } from '../../../src/runtime/node-setup.ts';
import type { NodeSetup } from '../../../src/runtime/node-setup.ts';
import type { NodeStatus } from '../../../src/runtime/node-status.ts';
import { Tally } from '../../../src/transport/counters.ts';

const TAKEN_AT = Date.parse('2026-03-01T12:00:00.000Z');

export function record(node: string, change: Partial<RegisteredNode> = {}): RegisteredNode {
  return {
    v: 1,
    node,
    run: `run-${node}`,
    group: 'web',
    version: '0.1.0',
    host: 'h',
    endsNamespace: false,
    supervisor: { ...ownIdentity(), pid: 100 + node.charCodeAt(0), bootId: bootId() },
    endpoints: { bus: `ipc:///run/${node}.bus`, rpc: `ipc:///run/${node}.rpc` },
    standby: 'cold',
    priority: 100,
    startedAt: '2026-03-01T11:58:28.000Z',
    startedAtMonotonicMs: 1,
    sessions: [],
    alive: true,
    ...change,
  };
}

export function answering(status: NodeStatus, change: Partial<RegisteredNode> = {}): SeenNode {
  return {
    record: record(status.id, change),
    presence: 'answers',
    status,
    silence: null,
    leftovers: [],
  };
}

export function silentNode(
  node: string,
  presence: Exclude<SeenNode['presence'], 'answers'>,
  silence: string | null = null,
): SeenNode {
  return { record: record(node), presence, status: null, silence, leftovers: [] };
}

export function statusOf(id: string, change: Partial<NodeStatus> = {}): NodeStatus {
  return {
    id,
    run: `run-${id}`,
    role: 'secondary',
    phase: 'watching',
    epoch: 7,
    version: '0.1.0',
    standby: 'cold',
    strategy: 'race',
    priority: 100,
    preemptsInMs: null,
    willing: true,
    unwillingBecause: null,
    health: null,
    unhealthyBecause: null,
    paused: false,
    reason: 'Another node holds the lease; following it: a holds epoch 7',
    warning: null,
    roleForMs: 60_000,
    uptimeMs: 92_000,
    lastHeartbeatMs: 34,
    primary: 'a',
    hearsPrimary: true,
    succession: ['b', 'c'],
    lastTakeover: null,
    restarts: 0,
    restartsLeft: 3,
    staleMessages: 0,
    worstLatenessMs: 0,
    latenessMs: 1,
    takeover: { crashMs: 9, crashUnknownBecause: null, hangMs: 8000, starvedMs: 16_000 },
    pid: 100 + id.charCodeAt(0),
    host: 'h',
    startedAt: '2026-03-01T11:58:28.000Z',
    endpoints: { bus: `ipc:///run/${id}.bus`, rpc: `ipc:///run/${id}.rpc` },
    workload: { pid: null, state: 'none', command: ['server'], restarts: 0, health: null },
    lease: { kind: 'file', guards: ['kernel', 'lockfile', 'epoch'], seen: null },
    transport: new Tally().snapshot(),
    setup: setupWith({}),
    activation: null,
    ...change,
  };
}

/** A node of `failover run` at the defaults. */
export function setupWith(change: Partial<NodeSetup>): NodeSetup {
  const options = loadRunOptions({ flags: {}, env: {}, command: ['server'] });
  return { ...setupOf(options, true), ...change };
}

export function primaryStatus(id: string, change: Partial<NodeStatus> = {}): NodeStatus {
  return statusOf(id, {
    role: 'primary',
    phase: 'serving',
    reason: 'This node is now primary: epoch 7',
    lastHeartbeatMs: 0,
    primary: id,
    lastTakeover: {
      kind: 'failover',
      from: 'z',
      to: id,
      epoch: 7,
      reason: 'the connection dropped',
      gapMs: 8.13,
    },
    workload: { pid: 456, state: 'running', command: ['server'], restarts: 0, health: null },
    ...change,
  });
}

/** A group whose lease is held by the node with this id; null: it is free. */
export function snapshotOf(
  holder: string | null,
  nodes: readonly SeenNode[],
  change: Partial<GroupSnapshot> = {},
): GroupSnapshot {
  return {
    group: 'web',
    stateDir: '/state',
    paths: groupPaths('/state/web'),
    observation: {
      epoch: 7,
      held: holder !== null,
      holder: {
        node: holder ?? 'a',
        run: `run-${holder ?? 'a'}`,
        endpoints: { bus: 'ipc:///run/a.bus', rpc: 'ipc:///run/a.rpc' },
      },
      recordUnreadable: false,
      touch: '1',
      paused: false,
    },
    pause: null,
    nodes,
    store: null,
    takenAtMs: TAKEN_AT,
    elsewhere: [],
    ...change,
  };
}

/** Three healthy nodes: a leads, b is next, then c. */
export function healthyGroup(): GroupSnapshot {
  const c = statusOf('c', { roleForMs: 10_000, uptimeMs: 10_400, lastHeartbeatMs: 36 });
  const nodes = [answering(c), answering(primaryStatus('a')), answering(statusOf('b'))];
  return snapshotOf('a', nodes);
}
