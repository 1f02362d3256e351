// What Prometheus is told of the nodes of a process: one set of measures for all, with the group as a label.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { NodeStatus } from '../runtime/node-status.ts';
import type { TransportCounters } from '../transport/counters.ts';
import { countsOfSteps, NodeMeters } from './node-meters.ts';
import { nodeLooks, transportLook } from './looked-up-meters.ts';

/** What is looked up when somebody asks. */
export interface Sights {
  /** By group, those that take part. */
  readonly nodes: ReadonlyMap<string, NodeStatus>;
  /** What came over the sockets; its group is null where groups share them. Null: it is not known yet. */
  readonly transport: {
    readonly group: string | null;
    readonly counters: TransportCounters;
  } | null;
}

export class GroupMeters {
  readonly #registry = new Registry();
  readonly #counts = countsOfSteps(this.#registry);
  readonly #looks = nodeLooks(this.#registry);
  readonly #transport = transportLook(this.#registry);
  readonly #nodes = new Map<string, NodeMeters>();

  /** Of the text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Those of one group, from here on in the text; what another node of it has counted goes on. */
  of(group: string): NodeMeters {
    const known = this.#nodes.get(group);
    if (known !== undefined) return known;
    const meters = new NodeMeters(group, this.#counts);
    this.#nodes.set(group, meters);
    return meters;
  }

  /** Of groups that are not among these nothing is told any more. */
  keep(groups: readonly string[]): void {
    const kept = new Set(groups);
    for (const [group, meters] of this.#nodes) {
      if (kept.has(group)) continue;
      meters.remove();
      this.#nodes.delete(group);
    }
  }

  /** As Prometheus reads it; of a node that is only starting, what there is. */
  async text({ nodes, transport }: Sights): Promise<string> {
    // All of them anew: so nothing is left of who is gone, nor of what is not known any more.
    for (const { forget } of this.#looks) forget();
    for (const [group, status] of nodes) for (const { note } of this.#looks) note(group, status);
    this.#transport.forget();
    if (transport !== null) this.#transport.note(transport.group, transport.counters);
    const parts: string[] = [];
    for (const { name } of this.#registry.getMetricsAsArray()) {
      // Of a thousand groups one measure is thousands of lines: nodes beat in between.
      parts.push(await this.#registry.getSingleMetricAsString(name));
      await nextTurn();
    }
    return `${parts.join('\n\n')}\n`;
  }
}
