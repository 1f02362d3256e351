// What every kind of workload has in common: spawning, hooks, readiness, the end, and the way out.
import { messageOf } from '../error-message.ts';
import { FailoverError } from '../errors.ts';
import { ownIdentity } from '../fence/process-identity.ts';
import type { ReadyWhen } from '../config/ready-when.ts';
import { MOST_LOCK_FILES, identityOfDescriptor } from '../lease/file/file-identity.ts';
import type { SessionLedger, SessionRecord } from '../lease/lease-store.ts';
import type {
  HookResult,
  LockDescription,
  Term,
  Workload,
  WorkloadDescription,
  WorkloadEnd,
  WorkloadListener,
  WorkloadLock,
} from '../runtime/ports.ts';
import { Emptying } from './emptying.ts';
import { hookEnvironment, nodeEnvironment, termMessage } from './environment.ts';
import type { DemotionNote, GateMessage, NodeContext } from './environment.ts';
import { spawnGated } from './gate.ts';
import type { DeathSignal, SpawnGated, StartAhead } from './gate.ts';
import { describeEnd, HOOK_GRACE_MS, runHook } from './hooks.ts';
import { emptySessions, livingMembers } from './living-members.ts';
import type { Member } from './living-members.ts';
import { outputSink } from './output.ts';
import type { OutputSink, OutputTargets } from './output.ts';
import { watchReadiness } from './readiness.ts';
import { removeRoleFile, roleContentOf, writeRoleFile } from './role-file.ts';
import { closeDescription, dismiss, newRun } from './run.ts';
import type { Run } from './run.ts';
import { SessionBook } from './session-book.ts';
import { StartPlaces } from './start-places.ts';
import type { StartPlace } from './start-places.ts';
import { describePids, endStandbyHelpers, OutsideGrace, proveFree } from './stopped.ts';
import type { EndHelpers } from './stopped.ts';
import type { StartLock } from './workload-lock.ts';

/** What to do with a workload whose supervisor dies. */
type OrphanMode = 'stop' | 'kill' | 'keep';

export interface WorkloadOptions {
  /** The program and its arguments; empty: a watcher, which only runs hooks. */
  readonly command: readonly string[];
  readonly orphan: OrphanMode;
  /** Run by `sh -c`; null: none. */
  readonly promoteCommand: string | null;
  readonly demoteCommand: string | null;
  /** Sent to a hot workload's process group at a change; null: none. */
  readonly promoteSignal: NodeJS.Signals | null;
  readonly demoteSignal: NodeJS.Signals | null;
  readonly readyWhen: ReadyWhen | null;
  /** Where its output goes; left out: it is inherited, or goes through us where it is read. */
  readonly output?: OutputTargets | null;
  readonly context: NodeContext;
  /** What `probeDeathSignal` found. */
  readonly deathSignal: boolean;
  /** Starts what the node runs; by default as children of this process. */
  readonly spawn?: SpawnGated;
  /** Starts ahead what the next such start takes its time for; by default it takes none. */
  readonly startAhead?: StartAhead;
  readonly lock: WorkloadLock;
  readonly ledger: SessionLedger;
  readonly listener: WorkloadListener;
  /** Told what to demote with if this process is killed, from the activation on; null: it does so itself. */
  readonly noteDemotion?: (note: DemotionNote | null) => void;
  /** Whether another node may have started by now: the workload lock may be its, and tells nothing. */
  readonly mayBeTaken?: () => boolean;
  /** Ends what left its session and still holds the workload lock; null: nobody here can. */
  readonly endHolders?: ((graceMs: number) => Promise<unknown>) | null;
  /** Ends what a workload that stood by started and what left its session; null: nobody here can. */
  readonly endHelpers?: EndHelpers | null;
  /** Takes what a person should know and nobody decides on: one sentence. */
  readonly warn: (message: string) => void;
}

/** A run to be spawned. */
export interface RunStart {
  readonly place: StartPlace;
  /** Whether it is recorded as active from the start. */
  readonly active: boolean;
  /** What `beginStart` returned. */
  readonly begun: number;
}

/**
 * A workload whose sessions are recorded before they do anything and forgotten only when they are empty.
 * The kinds differ in what `arm` and `activate` do.
 */
export abstract class SupervisedWorkload implements Workload {
  protected readonly options: WorkloadOptions;
  protected readonly book: SessionBook;
  /** The newest run; earlier ones live on in the book until their sessions are empty. */
  protected run: Run | null = null;
  protected readonly places: StartPlaces;
  readonly #output: OutputSink;
  /** The lock files that runs have inherited, whatever has their name by now. */
  readonly #lockFiles = new Set<string>();
  /** Whether a hook may have left something that holds the lock. */
  #hasRunHook = false;
  #starting: Promise<unknown> | null = null;
  /** How often it was stopped: what a stop overtook does not start after it either. */
  #stops = 0;
  /** From a start on, whatever has become of its run and of what it has started, until the lock is proved free. */
  #mayHoldLock = false;
  /** Consecutive failed attempts to prove the lock free. */
  #proofs = 0;
  /** What is being made ready, and since which stop. */
  #arming: { readonly stops: number; readonly done: Promise<void> } | null = null;
  #stop: {
    readonly emptying: Emptying;
    readonly grace: OutsideGrace;
    readonly done: Promise<void>;
  } | null = null;

  constructor(options: WorkloadOptions) {
    this.options = options;
    const { group, stateDir, node } = options.context;
    const since = ownIdentity().startTime;
    this.book = new SessionBook(options.ledger, { group, stateDir, node, since });
    const readsOutput = options.readyWhen?.kind === 'log';
    this.#output = outputSink(options.output ?? (readsOutput ? process : null));
    const { lock, spawn, startAhead } = options;
    this.places = new StartPlaces({ lock, spawn, startAhead, output: this.#output.mode });
  }

  /** Makes a process ready, one at a time: of two that stand by one would be forgotten. */
  arm(): Promise<void> {
    if (this.#arming?.stops === this.#stops) return this.#arming.done;
    const arming = { stops: this.#stops, done: this.prepare() };
    this.#arming = arming;
    const over = (): void => {
      if (this.#arming === arming) this.#arming = null;
    };
    arming.done.then(over, over);
    return arming.done;
  }

  activate(term: Term): Promise<void> {
    this.#noteDemotion(term);
    return this.lead(term);
  }

  abstract deactivate(): Promise<void>;
  /** Starts what is active from here on, or tells what stands by. */
  protected abstract lead(term: Term): Promise<void>;
  /** Makes a process ready that stands by, unless one is. */
  protected abstract prepare(): Promise<void>;

  async runHook(hook: 'promote' | 'demote', term: Term, timeoutMs: number): Promise<HookResult> {
    const { promoteCommand, demoteCommand, context, deathSignal } = this.options;
    const command = hook === 'promote' ? promoteCommand : demoteCommand;
    if (command === null) return { ok: true, detail: 'nothing to run' };
    if (this.#stop !== null) return { ok: false, detail: 'not started: the workload is stopping' };
    const stops = this.#stops;
    const lock = this.#lockForHook();
    const running = runHook(
      {
        name: hook,
        command,
        environment: hookEnvironment(context, lock.fd, hook),
        message: termMessage(term, hook === 'promote' ? 'primary' : 'secondary'),
        lockFd: lock.fd,
        deathSignal,
        timeoutMs,
        output: this.#output,
        spawn: this.options.spawn ?? spawnGated,
        isCancelled: () => this.#stops !== stops,
        onBegin: () => {
          this.#hasRunHook = true;
          // A demote command that was begun is not run again, and one that is being started still has to be.
          if (hook === 'demote') this.options.noteDemotion?.(null);
        },
      },
      this.book,
    );
    // The hook was spawned before `runHook` first waited, so it has its own copy.
    lock.close();
    return running;
  }

  stop(graceMs: number, { toRestart }: { readonly toRestart: boolean } = ENDED): Promise<void> {
    if (!toRestart) this.options.noteDemotion?.(null);
    if (this.#stop !== null) {
      this.#stop.emptying.shorten(graceMs);
      this.#stop.grace.shorten(graceMs);
      return this.#stop.done;
    }
    this.#stops += 1;
    // Of an ended run the lock is closed and the session may be forgotten: helpers can hold it still.
    const starting = this.#starting;
    const isRecorded = this.book.records().some(({ active }) => active);
    const wasActive = this.#mayHoldLock || isRecorded || starting !== null;
    if (this.run !== null) dismiss(this.run);
    const emptying = new Emptying(() => this.book.records(), graceMs);
    const grace = new OutsideGrace(graceMs);
    const done = this.#finishStop(emptying, { grace, wasActive, starting });
    this.#stop = { emptying, grace, done };
    return done;
  }

  describe(): WorkloadDescription {
    const pid = this.run === null || this.run.ended ? null : this.run.gated.identity.pid;
    return { pid, state: this.#state(), command: this.options.command };
  }

  /**
   * Sessions whose main process has ended and that may still have members: what has to be emptied before
   * the next start, while an armed or hot process of ours is left alone.
   */
  ownEndedSessions(): readonly SessionRecord[] {
    return this.book.ended();
  }

  /**
   * Forgets the ended sessions that are empty, and says who lives in the others. Called while there are
   * any: the number of one that was forgotten too late may be a stranger's.
   */
  forgetEmptySessions(): readonly Member[] {
    const ended = this.book.ended();
    if (ended.length === 0) return [];
    const alive = livingMembers(ended);
    const sessions = new Set(alive.map((member) => member.session));
    this.book.drop(emptySessions(ended.filter(({ process: { pid } }) => !sessions.has(pid))));
    return alive;
  }

  hasStaleLock(): boolean {
    const { run } = this;
    if (run === null || run.ended || run.dismissed || run.active) return false;
    return run.description?.isReplaced() === true;
  }

  /** The locked description that hooks inherit, where one is kept open. */
  protected activeLock(): Pick<StartLock, 'fd'> | null {
    return this.run?.active === true ? this.run.description : null;
  }

  /** Closes our copies of the lock; called once everything that was started is gone. */
  protected releaseLock(): void {
    if (this.run !== null) closeDescription(this.run);
  }

  /**
   * Begins a start: a stop that is under way ends first, and one that comes later overtakes it.
   *
   * @returns what `spawnRun` takes to notice that.
   */
  protected async beginStart(): Promise<number> {
    // Without a stop nothing is awaited: the count is that of the call, not of a turn later.
    while (this.#stop !== null) await this.#stop.done;
    return this.#stops;
  }

  /** @throws FAILOVER_PROMOTION_FAILED when something of an earlier run of this node is still alive. */
  protected requireEmpty(): void {
    const alive = this.forgetEmptySessions();
    if (alive.length === 0) return;
    throw new FailoverError(
      'FAILOVER_PROMOTION_FAILED',
      `Cannot start the workload: ${describePids(alive.map((member) => member.pid))} of its last run ` +
        'has not ended',
    );
  }

  /**
   * Spawns the command behind its gate and records it.
   *
   * @throws FAILOVER_COMMAND_NOT_EXECUTABLE, or what the ledger throws; nothing was started then.
   */
  protected async spawnRun(start: RunStart): Promise<Run> {
    const { command, context, orphan } = this.options;
    const { active, place } = start;
    const { description } = place;
    const gated = await place.spawn({
      command,
      environment: nodeEnvironment(context, description.fd),
      lockFd: description.fd,
      deathSignal: this.#deathSignal(),
      output: this.#output.mode,
    });
    const run = newRun(gated, description);
    run.active = active;
    this.#noteLockFile(description);
    try {
      this.requireNotOvertaken(start.begun);
      if (active) this.activated(run);
      const keep = orphan === 'keep';
      const stopsWithSupervisor = this.#deathSignal() === 'TERM';
      const { identity } = gated;
      this.book.add({ process: identity, kind: 'workload', active, keep, stopsWithSupervisor });
    } catch (error) {
      gated.close();
      throw error;
    }
    this.#output.pass(gated);
    gated.onEnd((end, atMs) => {
      this.#runEnded(run, end, atMs);
    });
    return run;
  }

  /** A start that takes the lock, which may be on its way in another process: a stop waits for what becomes of it. */
  protected async underWay<T>(start: Promise<T>): Promise<T> {
    this.#starting = start;
    try {
      return await start;
    } finally {
      this.#starting = null;
    }
  }

  /** @param begun what `beginStart` returned @throws FAILOVER_PROMOTION_FAILED after a stop that came since */
  protected requireNotOvertaken(begun: number): void {
    if (this.#stops !== begun) throw stoppedWhileStarting();
  }

  /** The lock is taken for it, or for what else this term starts (null). */
  protected activated(run: Run | null): void {
    if (run !== null) run.active = true;
    this.#mayHoldLock = true;
  }

  /** What was active stands by, and the lock is free for every copy of it. */
  protected deactivated(): void {
    this.#mayHoldLock = false;
  }

  /** Gives a run up that has done nothing yet: its gate never opens. */
  protected abandon(run: Run): void {
    dismiss(run);
    closeDescription(run);
    if (this.run === run) this.run = null;
  }

  /**
   * Ends what hooks have left in sessions of their own: with the lock of a workload that goes on, nothing tells of it
   * once that is free.
   *
   * @throws FAILOVER_UNEXPECTED where something of it does not end, and what kept this from looking
   */
  protected async endHookHelpers(): Promise<void> {
    if (!this.#hasRunHook) return;
    const left = (await this.options.endHelpers?.(HOOK_GRACE_MS, this.#lockFiles, true)) ?? [];
    if (left.length > 0) {
      const fact = `${describePids(left)}, started by a hook, did not exit`;
      throw new FailoverError('FAILOVER_UNEXPECTED', `Cannot free the workload lock: ${fact}`);
    }
    this.#hasRunHook = false;
  }

  /** Throws if the start was overtaken by a stop or by the end of the process. */
  protected requireCurrent(run: Run): void {
    if (run.dismissed) throw stoppedWhileStarting();
    if (run.ended) {
      throw new FailoverError(
        'FAILOVER_PROMOTION_FAILED',
        'Cannot start the workload: its standby process has exited',
      );
    }
  }

  /** Opens the gate: from here on the command runs. */
  protected openGate(run: Run, message: GateMessage): void {
    run.opened = true;
    run.gated.open(message);
  }

  /** @throws the system's error when the file can't be written. */
  protected tellRole(message: GateMessage): void {
    writeRoleFile(this.options.context.roleFile, roleContentOf(message));
  }

  /** For those whose role never changes: the file repeats what their environment says. */
  protected tellRoleIfPossible(message: GateMessage): void {
    try {
      this.tellRole(message);
    } catch (error) {
      this.#warnOfRoleFile(String(error));
    }
  }

  /** Both at once, wherever the gate is opened. */
  protected openGateTelling(run: Run, message: GateMessage): void {
    if (run.gated.openTelling === undefined) {
      this.tellRoleIfPossible(message);
      this.openGate(run, message);
      return;
    }
    run.opened = true;
    const path = this.options.context.roleFile;
    const onFailure = (error: string): void => {
      this.#warnOfRoleFile(error);
    };
    run.gated.openTelling(message, { path, onFailure });
  }

  /** Reports `ready` once, when the check passes; without a check, never. */
  protected awaitReadiness(run: Run, message: GateMessage): void {
    const { readyWhen, context, deathSignal, listener } = this.options;
    if (readyWhen === null) return;
    run.readiness = watchReadiness(
      { check: readyWhen, source: run.gated, context, message, deathSignal },
      () => {
        if (!run.ended && !run.dismissed) listener.ready();
      },
    );
  }

  #warnOfRoleFile(error: string): void {
    this.options.warn(`The role file could not be written: ${error}.`);
  }

  #noteDemotion(term: Term): void {
    const { demoteCommand: command, context, noteDemotion } = this.options;
    if (command === null) return;
    const environment = hookEnvironment(context, null, 'demote');
    const reason = 'the supervisor has exited';
    noteDemotion?.({
      command,
      environment,
      message: termMessage({ ...term, reason }, 'secondary'),
      output: this.#output.mode === 'pipe' ? 'ignore' : 'inherit',
    });
  }

  #deathSignal(): DeathSignal | null {
    const { orphan, deathSignal } = this.options;
    if (!deathSignal || orphan === 'keep') return null;
    return orphan === 'kill' ? 'KILL' : 'TERM';
  }

  #runEnded(run: Run, end: WorkloadEnd, atMs: number | null): void {
    run.ended = true;
    run.readiness?.abort();
    this.book.markEnded(run.gated.identity.pid, atMs);
    // Its helpers keep their copies; ours would keep the lock from ever being free.
    closeDescription(run);
    this.#stop?.emptying.look();
    if (run.dismissed) return;
    if (run.active) this.options.listener.ended(end);
    else this.options.listener.disarmed(`the standby process exited: ${describeEnd(end)}`);
  }

  async #finishStop(
    emptying: Emptying,
    {
      grace,
      wasActive,
      starting,
    }: {
      readonly grace: OutsideGrace;
      readonly wasActive: boolean;
      readonly starting: Promise<unknown> | null;
    },
  ): Promise<void> {
    try {
      // The start fails, as it was overtaken, and gives back what another process may have locked for it.
      await starting?.catch(() => undefined);
      const remaining = await emptying.done;
      // Nobody would end it later: it is tried again until somebody can look.
      if (emptying.failure !== null) throw notLookedAt(emptying.failure);
      await this.#settleStop(remaining, { grace, wasActive });
    } finally {
      // Cleared also when something failed: the next stop tries again.
      this.#stop = null;
    }
  }

  async #settleStop(
    remaining: readonly number[],
    { grace, wasActive }: { readonly grace: OutsideGrace; readonly wasActive: boolean },
  ): Promise<void> {
    this.#mayHoldLock ||= wasActive;
    this.releaseLock();
    const stoodBy = this.run !== null && this.run.opened && !this.run.active;
    this.run = null;
    // The last look of the stop found all of them empty, and nothing starts during a stop.
    const records = this.book.records();
    if (remaining.length === 0) this.book.drop(emptySessions(records));
    const doubted = remaining.length === 0 ? this.book.records() : [];
    for (const record of records) this.book.markEnded(record.process.pid, null);
    removeRoleFile(this.options.context.roleFile);
    if (remaining.length > 0) {
      // Here whoever starts next waits for what is on record; on another machine nobody would.
      if (this.options.mayBeTaken?.() === false) throw outlived(remaining);
      this.options.warn(
        `${describePids(remaining)} did not exit after SIGKILL: no command can start.`,
      );
    }
    if (doubted.length > 0 && this.options.mayBeTaken?.() === false) throw mayBeOurs(doubted);
    if (wasActive) {
      this.#proofs += 1;
      const isPatient = this.#proofs < MOST_PROOFS;
      await proveFree(this.options, grace, { lockFiles: this.#lockFiles, isPatient });
      this.#proofs = 0;
      this.#mayHoldLock = false;
    } else if (stoodBy) await endStandbyHelpers(this.options, grace, this.#lockFiles);
  }

  #noteLockFile({ fd }: Pick<StartLock, 'fd'>): void {
    const [oldest] = this.#lockFiles;
    if (oldest !== undefined && this.#lockFiles.size >= MOST_LOCK_FILES) {
      this.#lockFiles.delete(oldest);
    }
    this.#lockFiles.add(identityOfDescriptor(fd));
  }

  /** A hook holds the lock also where our copy is closed already, or the workload has ended. */
  #lockForHook(): { readonly fd: number | null; readonly close: () => void } {
    const held = this.activeLock();
    if (held !== null) return { fd: held.fd, close: () => undefined };
    const fresh = this.#tryFreshLock();
    return { fd: fresh?.fd ?? null, close: () => fresh?.close() };
  }

  #tryFreshLock(): LockDescription | null {
    try {
      const fresh = this.options.lock.open();
      if (fresh.tryLock()) return fresh;
      fresh.close();
    } catch {
      // A demote command has to run also where the directory is gone.
    }
    return null;
  }

  #state(): WorkloadDescription['state'] {
    if (this.#stop !== null) return 'stopping';
    if (this.run === null) return 'none';
    if (this.run.ended) return 'ended';
    if (this.run.active) return 'running';
    return this.run.opened ? 'standby' : 'armed';
  }
}

const ENDED = { toRestart: false };

/** Once a second: what can't be looked at for so long will not be. */
const MOST_PROOFS = 10;

function outlived(pids: readonly number[]): FailoverError {
  return new FailoverError(
    'FAILOVER_PROMOTION_FAILED',
    `Cannot stop the workload: ${describePids(pids)} did not exit after SIGKILL`,
  );
}

function notLookedAt(failure: unknown): FailoverError {
  const why = messageOf(failure);
  return new FailoverError(
    'FAILOVER_PROMOTION_FAILED',
    `Cannot stop the workload: its processes could not be inspected: ${why}`,
    { cause: failure },
  );
}

/** It may be that somebody of them has not been heard to have ended as yet: the next stop knows more. */
function mayBeOurs(sessions: readonly SessionRecord[]): FailoverError {
  const numbers = sessions.map(({ process: { pid } }) => pid).join(', ');
  return new FailoverError(
    'FAILOVER_PROMOTION_FAILED',
    `Cannot stop the workload: who is in session ${numbers} may be of its last run, or a stranger`,
  );
}

function stoppedWhileStarting(): FailoverError {
  return new FailoverError(
    'FAILOVER_PROMOTION_FAILED',
    'Cannot start the workload: it was told to stop while it was starting',
  );
}
