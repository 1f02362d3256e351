// The lease of one node that alone may ever lead: what decides is how the nodes were started. The simplest store
// there is, so what to read first; each method is explained at the port, and done by the files of the group.
import type { VerifyScope } from '../core/effect.ts';
import type { LeaseObservation, Peer } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import type {
  AcquireOutcome,
  LeaseStore,
  NodeRecord,
  ReleaseOutcome,
  RenewOutcome,
  VerifyOutcome,
} from './lease-store.ts';

export class StaticLease implements LeaseStore {
  readonly kind = 'static';
  readonly guards: readonly string[];
  readonly #leader: string;
  readonly #node: string;
  readonly #group: string;
  readonly #files: LeaseStore;

  /** @param files what proves on this machine that it has no other holder, and counts the epochs */
  constructor(leader: string, record: Pick<NodeRecord, 'node' | 'group'>, files: LeaseStore) {
    this.#leader = leader;
    this.#node = record.node;
    this.#group = record.group;
    this.#files = files;
    this.guards = ['static', ...files.guards];
  }

  /** @throws FAILOVER_REFUSED in any node but the one that leads */
  async acquire(floor: number): Promise<AcquireOutcome> {
    if (this.#node === this.#leader) return this.#files.acquire(floor);
    throw new FailoverError(
      'FAILOVER_REFUSED',
      `Cannot acquire the lease of group ${this.#group} for ${this.#node}: only ${this.#leader} leads`,
      { hint: 'Use another --lease on all nodes.' },
    );
  }

  advanceEpoch(floor: number): Promise<number> {
    return this.#files.advanceEpoch(floor);
  }

  renew(timeoutMs: number): Promise<RenewOutcome> {
    return this.#files.renew(timeoutMs);
  }

  verify(scope?: VerifyScope): VerifyOutcome {
    return this.#files.verify(scope);
  }

  release(): Promise<ReleaseOutcome> {
    return this.#files.release();
  }

  observe(): LeaseObservation {
    return this.#files.observe();
  }

  look(): LeaseObservation | Promise<LeaseObservation> {
    return this.#files.look();
  }

  listPeers(): Promise<readonly Peer[]> {
    return this.#files.listPeers();
  }

  watch(onChange: () => void): void {
    this.#files.watch(onChange);
  }

  missesRecordIn(nodes: readonly NodeRecord[]): boolean {
    return this.#files.missesRecordIn(nodes);
  }

  cleared(): void {
    this.#files.cleared();
  }

  markCompleted(epoch: number): Promise<void> {
    return this.#files.markCompleted(epoch);
  }

  setPaused(paused: boolean, by: string): Promise<void> {
    return this.#files.setPaused(paused, by);
  }

  close(): Promise<void> {
    return this.#files.close();
  }
}
