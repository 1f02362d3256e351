// What is counted of a node with each step of its core.
import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { NodeState } from '../core/state.ts';
import type { Demotion } from '../core/state-parts.ts';
import type { Step } from '../core/transition.ts';
import { named } from './meter-names.ts';

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

const TAKEOVERS = ['start', 'switchover', 'failover'] as const;

/** What happens to a primary without a demotion: its node has ended. */
const ENDED = 'ended';

/** A counter of all groups, and what is said of a group from its beginning. */
interface Count {
  readonly counter: Counter;
  readonly label: string;
  readonly names: readonly string[];
}

/** Those of all groups of a process. */
export interface StepCounts {
  readonly heartbeats: Histogram;
  readonly lateness: Histogram;
  readonly takeovers: Histogram;
  readonly probes: Count;
  readonly promotions: Count;
  readonly demotions: Count;
  readonly renewals: Count;
  readonly checks: Count;
  readonly ends: Count;
}

export function countsOfSteps(registry: Registry): StepCounts {
  const registers = [registry];
  const histogram = (
    [name, help]: readonly [name: string, help: string],
    buckets: number[],
    labels: readonly string[] = [],
  ): Histogram =>
    new Histogram({
      ...named(name, help),
      ...{ buckets, labelNames: ['group', ...labels], registers },
    });
  const count = (
    [name, help]: readonly [name: string, help: string],
    label: string,
    names: readonly string[],
  ): Count => {
    const labelNames = ['group', label];
    return { counter: new Counter({ ...named(name, help), labelNames, registers }), label, names };
  };
  return {
    heartbeats: histogram(
      [
        'heartbeat_interval_seconds',
        'Time between two heartbeats of the same primary, as received here.',
      ],
      HEARTBEAT_BUCKETS,
    ),
    takeovers: histogram(
      ['takeover_seconds', 'Time without a workload until this node was primary, by reason.'],
      TAKEOVER_BUCKETS,
      ['reason'],
    ),
    lateness: histogram(
      ['lateness_seconds', 'Event loop delay of this node, at each heartbeat.'],
      LATENESS_BUCKETS,
    ),
    probes: count(['probes_total', 'Probes of the primary.'], 'result', ['answered', 'failed']),
    promotions: count(['promotions_total', 'Times this node became primary.'], 'reason', TAKEOVERS),
    demotions: count(
      ['demotions_total', 'Times this node ceased to be primary.'],
      'reason',
      DEMOTIONS,
    ),
    renewals: count(
      ['lease_renewals_total', 'Renewals of a lease with a time to live.'],
      'result',
      ['renewed', 'failed'],
    ),
    checks: count(['health_checks_total', 'Health checks.'], 'outcome', ['passed', 'failed']),
    ends: count(['workload_ends_total', 'Unexpected exits of the workload.'], 'how', [
      'exit',
      'signal',
    ]),
  };
}

/** The counts of one node of one group. */
export class NodeMeters {
  readonly #group: string;
  readonly #counts: StepCounts;
  /** Of the term that is followed: whose it is, and when it was heard last. */
  #heard: { readonly term: string; readonly at: number } | null = null;

  constructor(group: string, counts: StepCounts) {
    this.#group = group;
    this.#counts = counts;
    counts.heartbeats.zero({ group });
    counts.lateness.zero({ group });
    // What begins with 1 has not increased, as Prometheus sees it.
    for (const each of this.#all()) for (const name of each.names) this.#add(each, name, 0);
  }

  /** Nothing of the group is left. */
  remove(): void {
    const group = this.#group;
    const { heartbeats, lateness, takeovers } = this.#counts;
    heartbeats.remove({ group });
    lateness.remove({ group });
    for (const reason of TAKEOVERS) takeovers.remove({ group, reason });
    for (const { counter, label, names } of this.#all()) {
      for (const name of [...names, ENDED]) counter.remove({ group, [label]: name });
    }
  }

  /** Counts what a step shows. Never throws. */
  note({ before, event, state, move }: Step): void {
    const counts = this.#counts;
    switch (event.type) {
      case 'time-passed':
        this.#beat(before.pulseAt, event.at);
        break;
      case 'heartbeat-received':
        this.#hear(`${event.run}/${String(event.epoch)}`, event.at);
        break;
      case 'probe-answered':
        this.#add(counts.probes, 'answered');
        break;
      case 'probe-failed':
        this.#add(counts.probes, 'failed');
        break;
      case 'lease-renewed':
        this.#add(counts.renewals, 'renewed');
        break;
      case 'lease-failed':
        if (event.order === 'renew') this.#add(counts.renewals, 'failed');
        break;
      case 'health-checked':
        this.#add(counts.checks, event.outcome);
        break;
      case 'workload-ended':
        this.#add(counts.ends, event.signal === null ? 'exit' : 'signal');
        break;
      default:
        break;
    }
    if (move === 'promoted') this.#promoted(state);
    if (before.role !== 'primary' || state.role === 'primary') return;
    this.#add(counts.demotions, before.phase === 'demoting' ? before.demotion.why : ENDED);
  }

  #all(): readonly Count[] {
    const { probes, promotions, demotions, renewals, checks, ends } = this.#counts;
    return [probes, promotions, demotions, renewals, checks, ends];
  }

  #add({ counter, label }: Count, name: string, times = 1): void {
    counter.inc({ group: this.#group, [label]: name }, times);
  }

  /** A timer may be for something else, before the beat. */
  #beat(dueAt: number, at: number): void {
    if (at >= dueAt) this.#counts.lateness.observe({ group: this.#group }, (at - dueAt) / 1000);
  }

  #hear(term: string, at: number): void {
    if (this.#heard?.term === term) {
      const seconds = (at - this.#heard.at) / 1000;
      this.#counts.heartbeats.observe({ group: this.#group }, seconds);
    }
    this.#heard = { term, at };
  }

  #promoted({ lastTakeover }: NodeState): void {
    if (lastTakeover === null) return;
    const { kind: reason, gapMs } = lastTakeover;
    this.#add(this.#counts.promotions, reason);
    if (gapMs === null) return;
    this.#counts.takeovers.observe({ group: this.#group, reason }, gapMs / 1000);
  }
}
