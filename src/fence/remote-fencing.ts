// Fencing where a server keeps the lease: its holder may be on any machine, and only the lease tells when it is over.
import type { HolderInspection } from '../core/event.ts';
import type { LeaseObservation } from '../core/state.ts';
import type { LeaseStore } from '../lease/lease-store.ts';
import type { Fencing } from '../runtime/ports.ts';
import type { FenceResult, ProcessFencing } from './fence.ts';
import { readCpuPressure } from './process-view.ts';

/** What earlier runs have left on this machine is emptied as ever; no holder is ever signalled. */
export class RemoteFencing implements Fencing {
  readonly #lease: Pick<LeaseStore, 'look' | 'observe'>;
  readonly #local: ProcessFencing;

  constructor(lease: Pick<LeaseStore, 'look' | 'observe'>, local: ProcessFencing) {
    this.#lease = lease;
    this.#local = local;
  }

  async inspect(): Promise<HolderInspection> {
    const observation = await this.#look();
    const nothing = { observation, process: null, sample: null, cpuPressure: readCpuPressure() };
    if (!observation.held) {
      return { ...nothing, holder: 'none', description: 'the lease is not held' };
    }
    const node = observation.holder?.node ?? null;
    const description =
      node === null ? 'its holder is not known here' : `${node}, wherever it runs`;
    return { ...nothing, holder: 'elsewhere', description };
  }

  async fence(): Promise<FenceResult> {
    const { held, holder } = await this.#look();
    if (!held) return { outcome: 'gone', detail: 'the lease is no longer held' };
    const detail = `${holder?.node ?? 'another node'} holds the lease until it expires`;
    return { outcome: 'elsewhere', detail };
  }

  clearLeftovers(
    limits: Parameters<Fencing['clearLeftovers']>[0],
  ): ReturnType<Fencing['clearLeftovers']> {
    return this.#local.clearLeftovers(limits);
  }

  /** Where the server does not answer: what it showed last. A claim will tell. */
  async #look(): Promise<LeaseObservation> {
    try {
      return await this.#lease.look();
    } catch {
      return this.#lease.observe();
    }
  }
}
