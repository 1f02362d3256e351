// What Prometheus is told of what is so at the moment, and of what is counted elsewhere: looked up when it asks.
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { HealthStatus } from '../core/health.ts';
import type { Role } from '../core/state.ts';
import type { NodeStatus } from '../runtime/node-status.ts';
import type { TransportCounters } from '../transport/counters.ts';
import { named } from './meter-names.ts';

const ROLES: readonly Role[] = ['primary', 'candidate', 'secondary', 'stopped'];

const HEALTHS: readonly HealthStatus[] = ['healthy', 'unhealthy', 'unknown'];

/** One measure, of all groups. */
interface Look {
  readonly forget: () => void;
  readonly note: (group: string, status: NodeStatus) => void;
}

/** What is so at the moment of each node. */
export function nodeLooks(registry: Registry): readonly Look[] {
  const registers = [registry];
  const gauge = (name: string, help: string, labels: readonly string[] = []): Gauge =>
    new Gauge({ ...named(name, help), labelNames: ['group', ...labels], registers });
  const value = (name: string, help: string, of: (status: NodeStatus) => number | null): Look => {
    const made = gauge(name, help);
    return {
      forget: forgetting(made),
      note: (group, status) => {
        const now = of(status);
        // What is not known is left out: a value would be believed.
        if (now !== null) made.set({ group }, now);
      },
    };
  };
  const oneOf = <Name extends string>(
    [name, help, label]: readonly [name: string, help: string, label: string],
    names: readonly Name[],
    of: (status: NodeStatus) => Name | null,
  ): Look => {
    const made = gauge(name, help, [label]);
    return {
      forget: forgetting(made),
      note: (group, status) => {
        const now = of(status);
        if (now === null) return;
        for (const each of names) made.set({ group, [label]: each }, Number(each === now));
      },
    };
  };
  return [
    info(gauge('node_info', 'Always 1; labels describe this node.', INFO_LABELS)),
    oneOf(
      ['role', 'The role of this node: 1 for the current role.', 'role'],
      ROLES,
      ({ role }) => role,
    ),
    value(
      'serving',
      '1 if this node is primary and its workload is running and was ready.',
      ({ phase }) => Number(phase === 'serving'),
    ),
    value('epoch', "The node's current epoch, or the highest it has seen.", ({ epoch }) => epoch),
    value(
      'paused',
      '1 if the group is paused: no automatic promotion until it is resumed.',
      ({ paused }) => Number(paused),
    ),
    value('willing', '1 if this node would take over.', ({ willing }) => Number(willing)),
    value(
      'heartbeat_age_seconds',
      'Time since the primary was last heard.',
      ({ lastHeartbeatMs }) => inSeconds(lastHeartbeatMs),
    ),
    value('uptime_seconds', 'Time since this node started.', ({ uptimeMs }) => inSeconds(uptimeMs)),
    value('lateness_max_seconds', 'The longest event loop delay of this node.', (status) =>
      inSeconds(status.worstLatenessMs),
    ),
    value(
      'takeover_predicted_seconds',
      'Predicted time of a takeover by this node after a crash.',
      (status) => inSeconds(status.takeover.crashMs),
    ),
    oneOf(
      ['health', 'Health of what is checked here: 1 for the current status.', 'health'],
      HEALTHS,
      ({ health }) => health,
    ),
    value('workload_running', '1 if a workload process is running or waiting.', ({ workload }) =>
      Number(workload.pid !== null),
    ),
    counted(
      new Counter({
        ...named('workload_restarts_total', 'Restarts of the workload in place.'),
        ...{ labelNames: ['group'], registers },
      }),
      ({ restarts }) => restarts,
    ),
    counted(
      new Counter({
        ...named('stale_messages_total', 'Messages with an outdated epoch.'),
        ...{ labelNames: ['group'], registers },
      }),
      ({ staleMessages }) => staleMessages,
    ),
  ];
}

interface TransportLook {
  readonly forget: () => void;
  readonly note: (group: string | null, counters: TransportCounters) => void;
}

/** What came over the sockets: of one group, or of a process whose groups share them. */
export function transportLook(registry: Registry): TransportLook {
  const counter = (name: string, help: string, labels: readonly string[] = []): Counter =>
    new Counter({
      ...named(name, help),
      ...{ labelNames: ['group', ...labels], registers: [registry] },
    });
  const received = counter('messages_received_total', 'Messages that arrived.');
  const dropped = counter('messages_dropped_total', 'Messages and answers that could not be sent.');
  const rejected = counter('messages_rejected_total', 'Messages rejected, by cause.', ['cause']);
  const requests = counter('requests_total', 'Requests of clients and other nodes.');
  const refused = counter('requests_rejected_total', 'Requests that were refused, by cause.', [
    'cause',
  ]);
  return {
    forget: () => {
      for (const each of [received, dropped, rejected, requests, refused]) each.reset();
    },
    note: (group, counters) => {
      const labels = group === null ? {} : { group };
      received.inc(labels, counters.received);
      dropped.inc(labels, counters.dropped);
      for (const causes of [counters.rejected, counters.distrusted]) {
        for (const [cause, times] of Object.entries(causes)) {
          rejected.inc({ ...labels, cause }, times);
        }
      }
      requests.inc(labels, counters.requests);
      for (const [cause, times] of Object.entries(counters.requestsRejected)) {
        refused.inc({ ...labels, cause }, times);
      }
    },
  };
}

/** Its count so far. */
function counted(counter: Counter, of: (status: NodeStatus) => number): Look {
  return {
    forget: forgetting(counter),
    note: (group, status) => {
      counter.inc({ group }, of(status));
    },
  };
}

const INFO_LABELS = ['node', 'version', 'standby', 'strategy', 'lease'] as const;

/** What does not change, as labels. */
function info(gauge: Gauge): Look {
  return {
    forget: forgetting(gauge),
    note: (group, { id, version, standby, strategy, lease }) => {
      gauge.set({ group, node: id, version, standby, strategy, lease: lease.kind }, 1);
    },
  };
}

function forgetting(metric: Gauge | Counter): () => void {
  return () => {
    metric.reset();
  };
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
