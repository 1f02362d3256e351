// What the node needs from the world. Adapters implement these and decide nothing.
import type { Announcement } from '../core/effect.ts';
import type { EventBody, FenceOutcome, HolderInspection } from '../core/event.ts';
import type { CheckAnswer, HealthSubject } from '../core/health.ts';
import type { FenceMode } from '../core/settings.ts';
import type { Endpoints, LeaseHolder, StandbyInfo } from '../core/state.ts';
import type { SessionRecord } from '../lease/lease-store.ts';

/** Monotonic time, and one wake-up. */
export interface Clock {
  /** Milliseconds, never set back, comparable between processes of one machine. */
  now(): number;
  /** Calls back once at or after `atMs`; returns the cancellation. */
  wakeAt(atMs: number, callback: () => void): () => void;
}

/** One open file description of the group's workload lock. A workload that inherits `fd` holds it too. */
export interface LockDescription {
  readonly fd: number;
  /** Takes the kernel lock on this description; false: another description has it. Never blocks. */
  tryLock(): boolean;
  /** Whether another file has its name by now: a lock on this one keeps nobody out. */
  isReplaced(): boolean;
  /** Only for a hot workload whose demotion was confirmed: frees it for every copy. */
  unlock(): void;
  /** Closes this process's copy; others that inherited it keep the lock. Idempotent. */
  close(): void;
}

/** The lock that answers whether anything is still active. */
export interface WorkloadLock {
  open(): LockDescription;
  /** Whether a fresh description could be locked now: nothing of any run is left. */
  isFree(): boolean;
  /** Whether something holds a file that had the name before: then nothing proves that a run is over. */
  hasDisplaced(): boolean;
}

/** What ends a workload by a deadline, whatever becomes of this process. */
export interface DeadlineGuard {
  /** On this node's clock, ms. */
  extend(deadlineAt: number): void;
}

/** Looks at and ends the processes of other nodes; a signal goes only to a proved identity. */
export interface Fencing {
  inspect(): Promise<HolderInspection>;
  /** SIGKILL to the supervisor that the kernel shows as holder, if it is still the judged one. */
  fence(target: {
    readonly epoch: number;
    readonly run: string | null;
    readonly mode: FenceMode;
  }): Promise<{ readonly outcome: FenceOutcome; readonly detail: string }>;
  /**
   * Empties what earlier runs left: TERM (with CONT), grace, KILL, for each member of a recorded session
   * of a dead supervisor and each proved holder of the workload lock. Bounded; says what remains.
   */
  clearLeftovers(limits: {
    readonly fenceGraceMs: number;
    readonly stopGraceMs: number;
  }): Promise<
    | { readonly type: 'cleared'; readonly ended: number }
    | { readonly type: 'remain'; readonly detail: string }
  >;
}

/** The context of one term, as the workload and its hooks get it in their environment. */
export interface Term {
  readonly epoch: number;
  readonly previous: string | null;
  readonly reason: string;
}

export interface HookResult {
  readonly ok: boolean;
  /** What to say: exit code, signal, timeout with its limit, or that it could not be started. */
  readonly detail: string;
}

export interface WorkloadEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface WorkloadListener {
  /** The check of `--ready-when` passed. */
  ready(): void;
  /** The active workload's main process ended without being asked to. */
  ended(end: WorkloadEnd): void;
  /** An armed or hot process ended while it stood by. */
  disarmed(detail: string): void;
}

/** The command under supervision. Errors are `FailoverError`s with a code of the catalogue. */
export interface Workload {
  /** cold and armed: a process behind a closed gate; hot: the workload as secondary. Idempotent. */
  arm(): Promise<void>;
  /** Takes the workload lock, records the session, opens the gate (hot: tells it the role). */
  activate(term: Term): Promise<void>;
  runHook(hook: 'promote' | 'demote', term: Term, timeoutMs: number): Promise<HookResult>;
  /**
   * TERM, grace, KILL to the whole session and to hooks. Resolves once they are empty and the lock is proved
   * free. What outlives KILL (an uninterruptible wait), or holds the lock and may not be signalled, is said
   * and not waited for: its session stays on record, and nobody starts anything before it has ended. Rejects where
   * nobody could look who is left: then perhaps nobody was signalled.
   * `toRestart`: the term goes on, and the demote command is still to be run.
   */
  stop(graceMs: number, how?: { readonly toRestart: boolean }): Promise<void>;
  /** Hot: the workload has become a secondary again; frees the lock and keeps it running. */
  deactivate(): Promise<void>;
  /** For `status`. */
  describe(): WorkloadDescription;
}

/** A workload that also says which of its ended sessions may still have members. */
export interface NodeWorkload extends Workload {
  /** Forgets those that are empty by now. Called each second; costs nothing where no session has ended. */
  forgetEmptySessions(): unknown;
  ownEndedSessions(): readonly SessionRecord[];
  /** Whether what stands by inherited a lock file that was replaced since: it could not be activated. */
  hasStaleLock(): boolean;
  /** Makes ready what the next start would take its time for; never throws. */
  startAhead?(): void;
}

export interface WorkloadDescription {
  readonly pid: number | null;
  readonly state: 'none' | 'armed' | 'standby' | 'running' | 'stopping' | 'ended';
  readonly command: readonly string[];
}

/** Asks whether the workload serves, or could. One check at a time: a new one ends one that is under way. */
export interface HealthChecks {
  /** Resolves once nothing of the check is left, within its time or soon after it. */
  check(subject: HealthSubject, timeoutMs: number): Promise<CheckAnswer>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** What a message from another node is, once it is decoded and belongs to this group. */
export type BusEvent = Extract<
  EventBody,
  {
    type:
      | 'heartbeat-received'
      | 'promoted-received'
      | 'shutdown-received'
      | 'connection-lost'
      | 'probe-answered'
      | 'probe-failed'
      | 'standby-heard'
      | 'demotion-answered';
  }
>;

/** One group's share of the process's two sockets and of its connections to other processes. */
export interface Bus {
  readonly endpoints: Endpoints;
  publish(announcement: Announcement): void;
  /** Follows this node's messages and connection, and no other's; null: nobody's. */
  follow(holder: LeaseHolder | null): void;
  /** One RPC ping of the followed primary, with this node's standby info. */
  probe(probe: { readonly timeoutMs: number; readonly standby: StandbyInfo }): Promise<ProbeReport>;
  /** Asks the followed primary to demote in favour of `successor`. */
  requestDemotion(request: {
    readonly successor: string;
    /** Nobody asked for it: the successor goes before the primary. */
    readonly preempting?: boolean;
    readonly timeoutMs: number;
  }): Promise<{ readonly accepted: boolean; readonly detail: string }>;
  close(): Promise<void>;
}

export interface ProbeReport {
  readonly run: string;
  readonly epoch: number;
  readonly role: string;
  readonly version: string;
}
