// The lease port: who may decide for the group, and the epoch that every start of a workload carries.
import type { VerifyScope } from '../core/effect.ts';
import type { DenialCause } from '../core/event.ts';
import type { Granted } from '../core/lease-term.ts';
import type { Endpoints, LeaseObservation, Peer } from '../core/state.ts';

/** Names one process for ever: a pid alone is reused, with its start time and the boot it is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat, clock ticks since boot, as text. */
  readonly startTime: string;
  readonly bootId: string;
  /** Inode of /proc/<pid>/ns/pid. */
  readonly pidNamespace: string;
}

/** A session this node started: the workload's, a hook's, or a process that waits behind a gate. */
export interface SessionRecord {
  readonly process: ProcessIdentity;
  readonly kind: 'workload' | 'hook';
  /** False while it waits behind its gate or runs as a hot secondary: it does nothing twice then. */
  readonly active: boolean;
  /** True: `--orphan keep`. It is waited for, never signalled. */
  readonly keep: boolean;
  /** True: the kernel sends it SIGTERM when its supervisor dies, so an orphan is already stopping. */
  readonly stopsWithSupervisor: boolean;
}

/** What a node says of itself to everyone who reads the state directory. */
export interface NodeRecord {
  readonly v: 1;
  readonly node: string;
  readonly run: string;
  readonly group: string;
  readonly version: string;
  readonly host: string;
  readonly supervisor: ProcessIdentity;
  /** Whether the pid namespace of the supervisor, a container's say, ends with it, and all that is in it. */
  readonly endsNamespace: boolean;
  /** Whether its process has nodes of other groups too, which end with it; left out: not that it says. */
  readonly sharesProcess?: true;
  readonly endpoints: Endpoints;
  /** Where its command is reached while it leads; none: it does not say. */
  readonly target?: string;
  readonly standby: 'cold' | 'armed' | 'hot';
  readonly priority: number;
  /** Wall clock, ISO 8601: for people. */
  readonly startedAt: string;
  /** Monotonic clock of this boot, ms: for comparisons on this machine. */
  readonly startedAtMonotonicMs: number;
  readonly sessions: readonly SessionRecord[];
}

export type AcquireOutcome =
  | {
      readonly type: 'granted';
      readonly epoch: number;
      readonly previous: string | null;
      /** When and for how long it was granted; null: it has no time to live. */
      readonly granted: Granted | null;
    }
  | {
      readonly type: 'denied';
      readonly cause: DenialCause;
      /** The pids of those who hold removed lock files, as in the event `lease-denied`. */
      readonly waitsFor: readonly number[];
      readonly observation: LeaseObservation;
    };

export interface ReleaseOutcome {
  /** Who has the lock all the same; null: it is free, or another has claimed the next epoch. */
  readonly heldBy: string | null;
}

export type RenewOutcome =
  | ({ readonly type: 'renewed' } & Granted)
  /** The lease was given back, or claimed anew, while the store was asked: the answer means nothing any more. */
  | { readonly type: 'over' }
  /** The store says so itself: one that does not answer has not said that. */
  | { readonly type: 'lost'; readonly cause: string };

export type VerifyOutcome =
  { readonly type: 'held' } | { readonly type: 'lost'; readonly cause: string };

/** What can decide who leads. */
export type LeaseKind = 'file' | 'static' | 'redis' | 'etcd' | 'postgres' | 'timed-file' | 'peers';

/**
 * A lease of one group as one node sees it. Methods that can fail throw a `FailoverError`; an outcome
 * that a caller must expect is a value.
 */
export interface LeaseStore {
  readonly kind: LeaseKind;
  /** What keeps two holders apart, for `status`. */
  readonly guards: readonly string[];

  /**
   * Takes the lease and claims the next epoch above everything seen and above `floor`; durable when it
   * resolves. @throws RECORD_UNREADABLE, STATE_DIR_*, NO_KERNEL_LOCK; the lease is not held then.
   */
  acquire(floor: number): Promise<AcquireOutcome>;

  /** A claim is to follow soon: does ahead what takes it time and changes nothing that others see. */
  prepareClaim?(): void;

  /** Claims the next epoch while holding the lease. @throws LEASE_LOST when it is not ours any more. */
  advanceEpoch(floor: number): Promise<number>;

  /**
   * Asks for another time to live from now on, and waits for the answer at most `timeoutMs`. Called only of
   * a lease that was granted with one. @throws FAILOVER_STORE_* when nobody knows; it may be renewed then
   */
  renew(timeoutMs: number): Promise<RenewOutcome>;

  /**
   * Checks by what this machine knows that the lease is still held, that of a file by the paths and the
   * epochs on record; leaves a sign of life. Cheap: asks no server.
   *
   * @param scope `lock`: may leave out what it would be told of if it had changed; default `all`
   */
  verify(scope?: VerifyScope): VerifyOutcome;

  /**
   * Gives the lease back and proves it free. Resolves also when there was nothing to release, and within
   * a second where it can not be proved.
   */
  release(): Promise<ReleaseOutcome>;

  /** What is known here and now: that of a server is as it was when it answered last. Cheap. */
  observe(): LeaseObservation;

  /**
   * Looks without taking anything: called at beats of a secondary. In a store that has lost its epochs
   * it also puts the highest that this node has seen back on record, and makes anew what a standby needs.
   * A file is looked at at once, a server answers later. @throws FAILOVER_STORE_* when it does not
   */
  look(): LeaseObservation | Promise<LeaseObservation>;

  /** The nodes that are on record, this one among them. @throws FAILOVER_STORE_* when it does not answer */
  listPeers(): Promise<readonly Peer[]>;

  /** Calls back, at once and never more than once per 40 ms, when epochs, pause or the directory change. */
  watch(onChange: () => void): void;

  /**
   * Whether records of what earlier runs started were removed and are not among these, so that only the
   * processes themselves can tell of it. Until `cleared`, while the lease is held.
   */
  missesRecordIn(nodes: readonly NodeRecord[]): boolean;

  /** Nothing of an earlier run is left; the holder may start something. */
  cleared(): void;

  markCompleted(epoch: number): Promise<void>;
  setPaused(paused: boolean, by: string): Promise<void>;

  /** Gives back what is held, ends watching, forgets this node, closes every descriptor and connection. */
  close(): Promise<void>;
}

/** The durable list of a node's sessions, written before anything starts; also works on a full disk. */
export interface SessionLedger {
  /** Replaces the list as a whole; returns when a crash of this process can no longer lose it. */
  setSessions(sessions: readonly SessionRecord[]): void;
}
