// What Prometheus is told of a node: counted with each step of its core, or looked up when it is asked for.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HealthStatus } from '../core/health.ts';
import type { NodeState, Role } from '../core/state.ts';
import type { Demotion } from '../core/state-parts.ts';
import type { Step } from '../core/transition.ts';
import type { NodeStatus } from '../runtime/node-status.ts';

const ROLES: readonly Role[] = ['primary', 'candidate', 'secondary', 'stopped'];

const HEALTHS: readonly HealthStatus[] = ['healthy', 'unhealthy', 'unknown'];

/** From a takeover that takes no time to one that waits for the end of a lease, s. */
const TAKEOVER_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Around the interval that is aimed at, which may be 10 ms or some seconds, s. */
const HEARTBEAT_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.6, 0.75, 1, 2, 5, 10];

/** Of a timer that is on time, and of a machine that has no time for it, s. */
const LATENESS_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const DEMOTIONS: readonly Demotion['why'][] = [
  'switchover',
  'demote',
  'stop',
  'suspend',
  'completed',
  'unhealthy',
  'workload-failed',
  'start-failed',
  'lease-lost',
];

/** A name, and what it is. */
type Told = readonly [name: string, help: string];

/** Sets what is looked up. */
type Look = (status: NodeStatus) => void;

/** The measures of one node; the group is a label of each. */
export class NodeMeters {
  readonly #registry = new Registry();
  readonly #looks: readonly Look[];
  readonly #heartbeats: Histogram;
  readonly #probes: Counter;
  readonly #promotions: Counter;
  readonly #demotions: Counter;
  readonly #takeovers: Histogram;
  readonly #lateness: Histogram;
  readonly #renewals: Counter;
  readonly #checks: Counter;
  readonly #ends: Counter;
  /** Of the term that is followed: whose it is, and when it was heard last. */
  #heard: { readonly term: string; readonly at: number } | null = null;

  constructor(group: string) {
    const registry = this.#registry;
    registry.setDefaultLabels({ group });
    this.#heartbeats = new Histogram({
      ...named(
        'heartbeat_interval_seconds',
        'Between two heartbeats of the same primary, as heard here.',
      ),
      ...{ buckets: HEARTBEAT_BUCKETS, registers: [registry] },
    });
    this.#takeovers = new Histogram({
      ...named('takeover_seconds', 'Without a workload until this node was primary, by reason.'),
      ...{ buckets: TAKEOVER_BUCKETS, labelNames: ['reason'], registers: [registry] },
    });
    this.#lateness = new Histogram({
      ...named('lateness_seconds', 'How late this node itself was, at each beat of its own.'),
      ...{ buckets: LATENESS_BUCKETS, registers: [registry] },
    });
    const counter = (label: string, names: readonly string[], [name, help]: Told): Counter => {
      const made = new Counter({
        ...named(name, help),
        labelNames: [label],
        registers: [registry],
      });
      // What begins with 1 has not increased, as Prometheus sees it.
      for (const each of names) made.inc({ [label]: each }, 0);
      return made;
    };
    this.#probes = counter(
      'result',
      ['answered', 'failed'],
      ['probes_total', 'Probes of the primary.'],
    );
    this.#promotions = counter(
      'reason',
      ['start', 'switchover', 'failover'],
      ['promotions_total', 'Times this node became primary.'],
    );
    this.#demotions = counter('reason', DEMOTIONS, [
      'demotions_total',
      'Times this node ceased to be primary.',
    ]);
    this.#renewals = counter(
      'result',
      ['renewed', 'failed'],
      ['lease_renewals_total', 'Renewals of a lease with a time to live.'],
    );
    this.#checks = counter(
      'outcome',
      ['passed', 'failed'],
      ['health_checks_total', 'Health checks.'],
    );
    this.#ends = counter(
      'how',
      ['exit', 'signal'],
      ['workload_ends_total', 'Ends of the workload by itself.'],
    );
    this.#looks = looksAt(registry);
  }

  /** Of the text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Counts what a step shows. Never throws. */
  note({ before, event, state, move }: Step): void {
    switch (event.type) {
      case 'time-passed':
        this.#beat(before.pulseAt, event.at);
        break;
      case 'heartbeat-received':
        this.#hear(`${event.run}/${String(event.epoch)}`, event.at);
        break;
      case 'probe-answered':
        this.#probes.inc({ result: 'answered' });
        break;
      case 'probe-failed':
        this.#probes.inc({ result: 'failed' });
        break;
      case 'lease-renewed':
        this.#renewals.inc({ result: 'renewed' });
        break;
      case 'lease-failed':
        if (event.order === 'renew') this.#renewals.inc({ result: 'failed' });
        break;
      case 'health-checked':
        this.#checks.inc({ outcome: event.outcome });
        break;
      case 'workload-ended':
        this.#ends.inc({ how: event.signal === null ? 'exit' : 'signal' });
        break;
      default:
        break;
    }
    if (move === 'promoted') this.#promoted(state);
    if (before.role !== 'primary' || state.role === 'primary') return;
    this.#demotions.inc({ reason: before.phase === 'demoting' ? before.demotion.why : 'ended' });
  }

  /** As Prometheus reads it; null: of a node that is only starting, what there is. */
  async text(status: NodeStatus | null): Promise<string> {
    if (status !== null) for (const look of this.#looks) look(status);
    return this.#registry.metrics();
  }

  /** A timer may be for something else, before the beat. */
  #beat(dueAt: number, at: number): void {
    if (at >= dueAt) this.#lateness.observe((at - dueAt) / 1000);
  }

  #hear(term: string, at: number): void {
    if (this.#heard?.term === term) this.#heartbeats.observe((at - this.#heard.at) / 1000);
    this.#heard = { term, at };
  }

  #promoted({ lastTakeover }: NodeState): void {
    if (lastTakeover === null) return;
    const { kind: reason, gapMs } = lastTakeover;
    this.#promotions.inc({ reason });
    if (gapMs !== null) this.#takeovers.observe({ reason }, gapMs / 1000);
  }
}

/** What is so at the moment, and what is counted elsewhere. */
function looksAt(registry: Registry): readonly Look[] {
  const registers = [registry];
  const value = (name: string, help: string, of: (status: NodeStatus) => number | null): Look => {
    const gauge = new Gauge({ ...named(name, help), registers });
    // Without labels it has a value from the start, and nothing is known yet.
    gauge.remove();
    return (status) => {
      const now = of(status);
      // What is not known is left out: a value would be believed.
      if (now === null) gauge.remove();
      else gauge.set(now);
    };
  };
  const count = (name: string, help: string, of: (status: NodeStatus) => number): Look => {
    const counter = new Counter({ ...named(name, help), registers });
    return (status) => {
      counter.reset();
      counter.inc(of(status));
    };
  };
  const counts = (
    [name, help, label]: readonly [name: string, help: string, label: string],
    of: (status: NodeStatus) => Readonly<Record<string, number>>,
  ): Look => {
    const counter = new Counter({ ...named(name, help), labelNames: [label], registers });
    return (status) => {
      counter.reset();
      for (const [which, times] of Object.entries(of(status)))
        counter.inc({ [label]: which }, times);
    };
  };
  const oneOf = <Name extends string>(
    [name, help, label]: readonly [name: string, help: string, label: string],
    names: readonly Name[],
    of: (status: NodeStatus) => Name | null,
  ): Look => {
    const gauge = new Gauge({ ...named(name, help), labelNames: [label], registers });
    return (status) => {
      gauge.reset();
      const now = of(status);
      if (now !== null)
        for (const each of names) gauge.set({ [label]: each }, Number(each === now));
    };
  };
  return [
    info(registry),
    oneOf(
      ['role', 'The role of this node: 1 for that which it has.', 'role'],
      ROLES,
      ({ role }) => role,
    ),
    value(
      'serving',
      '1 if this node is primary and its workload runs and was ready.',
      ({ phase }) => Number(phase === 'serving'),
    ),
    value(
      'epoch',
      'The epoch that it acts under, or the highest it has seen.',
      ({ epoch }) => epoch,
    ),
    value('paused', '1 if nobody is promoted until somebody resumes it.', ({ paused }) =>
      Number(paused),
    ),
    value('willing', '1 if this node would take over.', ({ willing }) => Number(willing)),
    value('heartbeat_age_seconds', 'Since the primary was heard.', ({ lastHeartbeatMs }) =>
      inSeconds(lastHeartbeatMs),
    ),
    value('uptime_seconds', 'Since this node has started.', ({ uptimeMs }) => inSeconds(uptimeMs)),
    value('lateness_max_seconds', 'The longest that this node itself was late.', (status) =>
      inSeconds(status.worstLatenessMs),
    ),
    value(
      'takeover_predicted_seconds',
      'What a takeover by this node takes after a crash.',
      (status) => inSeconds(status.takeover.crashMs),
    ),
    oneOf(
      ['health', 'The health of what is checked here: 1 for that which it has.', 'health'],
      HEALTHS,
      ({ health }) => health,
    ),
    value('workload_running', '1 if a process of the workload runs, or waits.', ({ workload }) =>
      Number(workload.pid !== null),
    ),
    count(
      'workload_restarts_total',
      'Starts of the workload anew, in place.',
      ({ restarts }) => restarts,
    ),
    count(
      'stale_messages_total',
      'Messages of epochs that are over.',
      (status) => status.staleMessages,
    ),
    count(
      'messages_received_total',
      'Messages that arrived.',
      ({ transport }) => transport.received,
    ),
    count(
      'messages_dropped_total',
      'Messages and answers that could not be sent.',
      ({ transport }) => transport.dropped,
    ),
    counts(['messages_rejected_total', 'Messages not believed, by cause.', 'cause'], (status) => ({
      ...status.transport.rejected,
      ...status.transport.distrusted,
    })),
    count(
      'requests_total',
      'Requests of clients and other nodes.',
      ({ transport }) => transport.requests,
    ),
    counts(
      ['requests_rejected_total', 'Requests that were refused, by cause.', 'cause'],
      ({ transport }) => transport.requestsRejected,
    ),
  ];
}

/** What does not change, as labels. */
function info(registry: Registry): Look {
  const labelNames = ['node', 'version', 'standby', 'strategy', 'lease'];
  const help = 'Always 1: what this node is, as labels.';
  const gauge = new Gauge({ ...named('node_info', help), labelNames, registers: [registry] });
  return ({ id, version, standby, strategy, lease }) => {
    gauge.reset();
    gauge.set({ node: id, version, standby, strategy, lease: lease.kind }, 1);
  };
}

function named(name: string, help: string): { readonly name: string; readonly help: string } {
  return { name: `failover_${name}`, help };
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
