// `failover run` as a service: what its manager is told of its node.
import type { FailoverNode } from '../runtime/failover-node.ts';
import type { NodeTransition } from '../runtime/narrator.ts';
import type { Living, Service } from './service.ts';

/** What is looked at of a node. */
interface Told extends Living {
  status(): Pick<ReturnType<FailoverNode['status']>, 'role' | 'phase' | 'epoch'>;
  on(event: 'transition', listener: (change: NodeTransition) => void): unknown;
}

export class RunService {
  readonly #service: Service;
  readonly #group: string;

  constructor(service: Service, group: string) {
    this.#service = service;
    this.#group = group;
  }

  /** It may take long before it takes part. */
  waits(fact: string): void {
    this.#service.tellStatus(fact);
  }

  /** It takes part: that is what ready means, whoever is primary. */
  serve(node: Told): void {
    const { role, phase, epoch } = node.status();
    this.#service.tellReady(this.#statusOf({ role, to: phase, epoch }), node);
    node.on('transition', (change) => {
      const status = `${this.#statusOf(change)}: ${change.reason}`;
      if (change.to === 'stopping' || change.to === 'stopped') this.#service.tellStop(status);
      else this.#service.tellStatus(status);
    });
  }

  /** Told to end: it takes as long as the command needs. */
  stops(reason: string): void {
    this.#service.tellStop(reason);
  }

  #statusOf(at: { readonly role: string; readonly to: string; readonly epoch: number }): string {
    const doing = STEADY.has(at.to) ? '' : ` (${at.to})`;
    return `${at.role} of group ${this.#group}${doing}, epoch ${String(at.epoch)}`;
  }
}

/** What a role does as a rule. */
const STEADY: ReadonlySet<string> = new Set(['serving', 'watching', 'stopped']);
