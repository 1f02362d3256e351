// A lease that a server keeps, with what this machine knows: epochs rise above those on record here, and nobody
// claims while something may still be active on lock files that were removed.
import type { LeaseObservation, Peer } from '../core/state.ts';
import { textOf } from './error-text.ts';
import { pruneEpochs } from './file/epoch.ts';
import type { LocalGroup } from './file/local-group.ts';
import type {
  AcquireOutcome,
  LeaseKind,
  LeaseStore,
  ReleaseOutcome,
  RenewOutcome,
  VerifyOutcome,
} from './lease-store.ts';
import type { RemoteStore } from './remote-store.ts';
import { withPlace } from './holder-place.ts';

/** The guard that watches over a term, and gives the lease back where its node cannot. */
interface TermKeeper {
  /** There is no term: what comes is another. */
  rest(): void;
  /** The node ends. */
  close(): void;
  /** Whether the deadline of the term has passed: another may have the lease. */
  isOver(): boolean;
}

export class AnchoredLease implements LeaseStore {
  readonly kind: LeaseKind;
  readonly guards: readonly string[];
  readonly #local: LocalGroup;
  readonly #remote: RemoteStore;
  readonly #keeper: TermKeeper;
  readonly #warn: (message: string) => void;
  /** The highest epoch that is on record here, or will be in a moment. */
  #recorded = 0;
  /** One after the other: each may keep a thread for as long as the disk takes. */
  #recording: Promise<void> = Promise.resolve();

  constructor(parts: {
    readonly local: LocalGroup;
    readonly remote: RemoteStore;
    readonly keeper: TermKeeper;
    /** What goes on without what is not in order. */
    readonly warn: (message: string) => void;
  }) {
    const { local, remote, keeper, warn } = parts;
    this.#local = local;
    this.#remote = remote;
    this.#keeper = keeper;
    this.#warn = warn;
    this.kind = remote.kind;
    this.guards = [...remote.guards, 'workload-lock'];
  }

  async acquire(floor: number): Promise<AcquireOutcome> {
    const { membership, foundation } = this.#local;
    membership.ensure();
    if (!foundation.prepare(floor)) {
      const { waitsFor } = foundation;
      return { type: 'denied', cause: 'held', waitsFor, observation: this.observe() };
    }
    this.#keeper.rest();
    const outcome = await this.#remote.acquire(Math.max(floor, foundation.memory.recall()));
    if (outcome.type === 'denied') {
      return { ...outcome, observation: withPlace(outcome.observation) };
    }
    this.#recordSoon(outcome.epoch);
    return outcome;
  }

  prepareClaim(): void {
    this.#remote.prepareClaim?.();
  }

  async advanceEpoch(floor: number): Promise<number> {
    const known = this.#local.foundation.memory.recall();
    const epoch = await this.#remote.advanceEpoch(Math.max(floor, known));
    this.#recordSoon(epoch);
    return epoch;
  }

  async renew(timeoutMs: number): Promise<RenewOutcome> {
    return this.#remote.renew(timeoutMs);
  }

  verify(): VerifyOutcome {
    this.#local.membership.touch();
    // Else a primary that steps down would search the machine for removed ones, while others wait for it.
    this.#local.foundation.sawThem();
    if (this.#keeper.isOver()) return { type: 'lost', cause: 'its time to live is over' };
    return this.#remote.verify();
  }

  async release(): Promise<ReleaseOutcome> {
    // From here on no guard gives it back: it may be claimed anew before that one comes to it.
    this.#keeper.rest();
    return this.#remote.release();
  }

  observe(): LeaseObservation {
    const observation = withPlace(this.#remote.observe());
    const { waitsFor } = this.#local.foundation;
    return waitsFor.length === 0 ? observation : { ...observation, waitsFor };
  }

  async look(): Promise<LeaseObservation> {
    const { membership, foundation } = this.#local;
    membership.touch();
    foundation.remake();
    this.#remote.learn(foundation.memory.recall());
    const seen = withPlace(await this.#remote.look());
    // What a store has forgotten is known here: nothing older is believed.
    const epoch = Math.max(seen.epoch, foundation.memory.recall());
    // Where there is no server, those who have heard of an epoch are all that remember it.
    if (this.kind === 'peers' && seen.epoch > this.#recorded) this.#recordSoon(seen.epoch);
    foundation.memory.learn(seen.epoch);
    const { waitsFor } = foundation;
    return { ...seen, epoch, ...(waitsFor.length === 0 ? {} : { waitsFor }) };
  }

  listPeers(): Promise<readonly Peer[]> {
    return this.#remote.listNodes();
  }

  watch(onChange: () => void): void {
    this.#remote.watch(onChange);
  }

  missesRecordIn(): boolean {
    return false;
  }

  cleared(): void {
    // A store knows nothing of processes.
  }

  markCompleted(epoch: number): Promise<void> {
    return this.#remote.markCompleted(epoch);
  }

  setPaused(paused: boolean, by: string): Promise<void> {
    return this.#remote.setPaused(paused, by);
  }

  async close(): Promise<void> {
    this.#keeper.close();
    try {
      await this.#remote.close();
    } finally {
      this.#local.close();
    }
  }

  /**
   * For those who read the directory, and as a floor for a store that loses what it has. Later: a takeover does not
   * wait for this disk.
   */
  #recordSoon(epoch: number): void {
    this.#recorded = Math.max(this.#recorded, epoch);
    this.#local.foundation.memory.learn(epoch);
    setTimeout(() => {
      this.#recording = this.#recording.then(() => this.#record(epoch));
    }, RECORD_DELAY_MS).unref();
  }

  async #record(epoch: number): Promise<void> {
    const { foundation, membership, paths } = this.#local;
    // A later one says more; a slow disk is not asked for both.
    if (epoch < this.#recorded) return;
    try {
      await foundation.keepEpoch(epoch);
    } catch (error) {
      this.#warn(`could not put epoch ${epoch} on record, so epochs may go back: ${textOf(error)}`);
    }
    pruneEpochs(paths.epochs);
    membership.keepSpareName();
  }
}

/** Longer than a takeover takes. */
const RECORD_DELAY_MS = 200;
