// A supervisor's side of its guards: each process that it starts gets one as its parent, told of every deadline.
import { MOST_LOCK_FILES, identityOfDescriptor } from '../lease/file/file-identity.ts';
import type { SessionLedger, SessionRecord } from '../lease/lease-store.ts';
import type { DemotionNote } from '../workload/environment.ts';
import type { GatedProcess, GateRequest, SpawnGated, StartAhead } from '../workload/gate.ts';
import { launch } from './guarded-process.ts';
import type { GuardedProcess, StartTerms } from './guarded-process.ts';
import { named } from './in-sight.ts';
import type { DemoteOrder, ReturnOrder } from './messages.ts';

export interface GuardKeeperParts extends StartTerms {
  readonly ledger: SessionLedger;
  readonly stopGraceMs: number;
  /** How long a demote command may take, how long before the deadline it is over at the latest, and its lock. */
  readonly demotion: Pick<DemoteOrder, 'timeoutMs' | 'spareMs' | 'lockFile'>;
  /** How long a guard may take to say that it has heard of a deadline, ms. */
  readonly patienceMs: number;
  readonly now: () => number;
  readonly returnOrder: () => ReturnOrder | null;
  /** A guard is gone, or does not answer: nobody ends the workload in time any more. */
  readonly onLost: (cause: string) => void;
}

export class GuardKeeper implements SessionLedger {
  readonly #parts: GuardKeeperParts;
  readonly #guards = new Set<GuardedProcess>();
  /** Guards that were started ahead, and have not been told yet what to start. */
  readonly #ahead = new Map<GuardedProcess, () => void>();
  /** The identities of the lock files that were handed on, the latest last. */
  readonly #lockFiles = new Set<string>();
  #deadlineAt: number | null = null;
  #sessions: readonly SessionRecord[] = [];
  #demotion: DemotionNote | null = null;
  #isClosed = false;

  constructor(parts: GuardKeeperParts) {
    this.#parts = parts;
  }

  /** As `spawnGated`, as a child of a guard. @throws as that, and FAILOVER_PROMOTION_FAILED */
  readonly spawn: SpawnGated = async (request) => this.#begin(launch(request), request);

  /** Starts a guard that waits for what it is to start: its own start takes longer than all the rest. */
  readonly startAhead: StartAhead = (place, onGone) => {
    const guarded = launch(place);
    const gone = (): void => {
      if (this.#ahead.delete(guarded)) onGone();
    };
    this.#ahead.set(guarded, gone);
    if (this.#isClosed) guarded.dismiss();
    guarded.onGone(gone);
    return {
      spawn: async (request) => {
        this.#ahead.delete(guarded);
        return this.#begin(guarded, request);
      },
      dismiss: () => {
        // A guard that has started something ends that as well, and in a term gives the lease back.
        if (this.#ahead.has(guarded)) guarded.dismiss();
        gone();
      },
    };
  };

  async #begin(guarded: GuardedProcess, request: GateRequest): Promise<GatedProcess> {
    const lockFiles = this.#lockFilesWith(request.lockFd);
    await guarded.begin({ ...request, lockFiles }, this.#parts, () => {
      this.#forget(guarded);
      if (this.#deadlineAt !== null) this.#parts.onLost('the guard of the workload is gone');
    });
    if (this.#isClosed) {
      guarded.dismiss();
      return guarded;
    }
    // What has ended and left nothing: of the rest, the guard that has it in sight goes on.
    this.#dismissEnded((ended) => !this.#isOnRecord(ended));
    this.#guards.add(guarded);
    guarded.onEnd(() => {
      this.#dismissIdle();
    });
    this.#tellTerm(guarded);
    if (this.#deadlineAt !== null) guarded.extend(this.#deadlineAt, this.#parts.now());
    return guarded;
  }

  /** By then everything that was started has ended, on the clock of `BootClock`, ms. */
  extend(deadlineAt: number): void {
    const { now, patienceMs, onLost } = this.#parts;
    const isFirst = this.#deadlineAt === null;
    this.#deadlineAt = deadlineAt;
    for (const guarded of this.#guards) {
      if (guarded.silentForMs(now()) > patienceMs)
        onLost('the guard of the workload does not answer');
      if (isFirst) this.#tellTerm(guarded);
      guarded.extend(deadlineAt, now());
    }
  }

  /** What is run first where this process is gone in a term; null: nothing, or it is run by this process. */
  readonly noteDemotion = (note: DemotionNote | null): void => {
    if (note === this.#demotion) return;
    this.#demotion = note;
    this.#tellTerms();
  };

  isOver(): boolean {
    return this.#deadlineAt !== null && this.#parts.now() >= this.#deadlineAt;
  }

  /** The lease is given back, or lost, and nothing is active any more. */
  rest(): void {
    this.#deadlineAt = null;
    this.#demotion = null;
    for (const guarded of this.#guards) guarded.tell({ type: 'rest' });
    this.#dismissEnded();
  }

  /** For a node that ends: what still runs is ended by its guard, which keeps this process no longer. */
  close(): void {
    this.rest();
    this.#isClosed = true;
    for (const guarded of this.#guards) guarded.dismiss();
    this.#guards.clear();
    for (const [guarded, gone] of this.#ahead) {
      guarded.dismiss();
      gone();
    }
  }

  setSessions(sessions: readonly SessionRecord[]): void {
    this.#parts.ledger.setSessions(sessions);
    this.#sessions = sessions;
    this.#dismissIdle();
    this.#dismissEmptied();
    this.#tellTerms();
  }

  /** Should this process be killed meanwhile, none gives the lease back while another demotes. */
  #tellTerms(): void {
    const guards = [...this.#guards];
    if (this.#demotion !== null) guards.reverse();
    for (const guarded of guards) this.#tellTerm(guarded);
  }

  /** Where one has to demote first, the others wait for it: they see to what is their own, and not to the lease. */
  #tellTerm(guarded: GuardedProcess): void {
    const { stopGraceMs, returnOrder, demotion } = this.#parts;
    const [first] = this.#guards;
    const isSecond = this.#demotion !== null && guarded !== first;
    const demote = this.#demotion === null || isSecond ? null : { ...this.#demotion, ...demotion };
    const order = this.#deadlineAt === null || isSecond ? null : returnOrder();
    const sessions = isSecond ? [] : named(this.#sessions);
    guarded.tell({ type: 'term', stopGraceMs, return: order, sessions, demote, isSecond });
  }

  /** Another one may be the first then. */
  #forget(guarded: GuardedProcess): void {
    this.#guards.delete(guarded);
    if (this.#demotion !== null) this.#tellTerms();
  }

  /** The lock files, also for a command without a lock: what an ended one has left behind may hold it. */
  #lockFilesWith(fd: number | null): readonly string[] {
    if (fd !== null) {
      const identity = identityOfDescriptor(fd);
      this.#lockFiles.delete(identity);
      this.#lockFiles.add(identity);
    }
    const latest = [...this.#lockFiles].slice(-MOST_LOCK_FILES);
    for (const file of this.#lockFiles) if (!latest.includes(file)) this.#lockFiles.delete(file);
    return latest;
  }

  /** Outside a term nobody is needed who has nothing left to end: of a promotion that came to nothing, say. */
  #dismissIdle(): void {
    if (this.#deadlineAt !== null) return;
    this.#dismissEnded((guarded) => !this.#isOnRecord(guarded));
  }

  /**
   * Lets go of guards with nothing left to end, as of a finished hook: one that watches what runs watches all on
   * record.
   */
  #dismissEmptied(): void {
    if ([...this.#guards].every((guarded) => guarded.end() !== null)) return;
    // In a term one has to stay that gives the lease back, and demotes: of a watcher that of its promote command.
    const [first] = this.#guards;
    const isNeeded = (guarded: GuardedProcess): boolean =>
      this.#deadlineAt !== null && guarded === first && this.#guards.size === 1;
    this.#dismissEnded((guarded) => !this.#isOnRecord(guarded) && !isNeeded(guarded));
  }

  /** What it has started may have left something that runs. */
  #isOnRecord({ identity: { pid } }: GuardedProcess): boolean {
    return this.#sessions.some((session) => session.process.pid === pid);
  }

  #dismissEnded(isOver: (guarded: GuardedProcess) => boolean = () => true): void {
    for (const guarded of this.#guards) {
      if (guarded.end() === null || !isOver(guarded)) continue;
      guarded.dismiss();
      this.#forget(guarded);
    }
  }
}
