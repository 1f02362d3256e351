// The guard: a process beside a supervisor whose lease ends by itself. It is the parent of what the supervisor
// starts, ends that at the deadline or when the supervisor is gone, and then gives the lease back.
import type { ChildProcess } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { noteSession } from '../fence/own-sessions.ts';
import { readIdentity, UNKNOWN_TIME } from '../fence/process-identity.ts';
import { endRunHelpers } from '../fence/run-helpers.ts';
import type { HelperSources } from '../fence/run-helpers.ts';
import type { SessionRecord } from '../lease/lease-store.ts';
import { BootClock } from '../runtime/boot-clock.ts';
import { monotonicNow } from '../runtime/clock.ts';
import { Emptying } from '../workload/emptying.ts';
import { livingMembers } from '../workload/living-members.ts';
import { Backstop } from './backstop.ts';
import { DeadlineWatch } from './deadline-watch.ts';
import { DemoteCommand } from './demote-command.ts';
import { killGroupOf, spawnBehindGate } from './gated-child.ts';
import { loadFor, returning } from './give-back.ts';
import { areEmpty, keepInSight, ownSession, takeNamed } from './in-sight.ts';
import { lineReader } from './messages.ts';
import type { DemoteOrder, FromGuard, ReturnOrder, SpawnOrder, ToGuard } from './messages.ts';
import { ownPriority } from './priority.ts';

/** The descriptors that it has from its supervisor beside the first three. */
const LOCK_FD = 3;
const REPORT_FD = 4;

/** Before what failed is tried again, ms: a look for what left its session, or giving the lease back. */
const RETRY_MS = 100;

/** How long after it begins, or starts something, it rehearses, ms: others may be busy with the same change until then. */
const REHEARSAL_DELAY_MS = 500;

const ROUNDS = 3;

/** How often it looks who is in the sessions on record, ms: far more often than their members could all be others. */
const LOOK_MS = 1_000;

/** Nobody has any of these open. */
const NONE: ReadonlySet<string> = new Set();

/** Over some seconds: then the lease has ended by itself, or nearly. */
const RETURN_ATTEMPTS = 5;

class Guard {
  readonly #clock = new BootClock();
  readonly #deadline = new DeadlineWatch(this.#clock, () => {
    this.#deadlinePassed();
  });
  readonly #backstop = new Backstop();
  #child: ChildProcess | null = null;
  #own: SessionRecord | null = null;
  #others: readonly SessionRecord[] = [];
  #hasEnded = false;
  #stopGraceMs = 0;
  /** The last order to give the lease back, as text: the same one is told again with each change of the sessions. */
  #return: string | null = null;
  #demote: DemoteOrder | null = null;
  #demoteCommand: DemoteCommand | null = null;
  #isSecond = false;
  /** Null: it has not been told what to start. */
  #order: SpawnOrder | null = null;
  #isSupervised = true;
  #hasLoaded = false;
  #emptying: Emptying | null = null;
  /** What has left its session is found by the lock that it holds. */
  #helpers: HelperSources | null = null;
  /** Ends at once what is being ended in order outside the sessions. */
  #hurry: () => void = () => undefined;

  take(message: ToGuard): void {
    switch (message.type) {
      case 'spawn':
        this.#spawn(message.order);
        return;
      case 'open':
        this.#open(message);
        return;
      case 'close':
        this.#child?.stdin?.end();
        return;
      case 'deadline':
        this.#deadline.set(message.at);
        tell({ type: 'heard', number: message.number, at: monotonicNow() });
        return;
      case 'dismiss':
        // Else the end of the pipe, which comes next, ends what runs still.
        if (this.#child === null || this.#hasEnded) this.#exit();
        return;
      case 'rest':
        this.#deadline.clear();
        this.#return = null;
        this.#demote = null;
        return;
      case 'term':
        this.#stopGraceMs = message.stopGraceMs;
        this.#return = message.return === null ? null : JSON.stringify(message.return);
        this.#others = takeNamed(message.sessions, this.#others, this.#order?.starter ?? null);
        this.#demote = message.demote;
        this.#isSecond = message.isSecond;
        this.#tellBackstop();
        if (message.return !== null) this.#load(message.return);
        return;
    }
  }

  /** Once. What fails is said when it is needed. */
  #load(order: ReturnOrder): void {
    if (this.#hasLoaded) return;
    this.#hasLoaded = true;
    loadFor(order).catch(() => undefined);
  }

  /** The end of the pipe: in order as long as there is time, and then the lease. */
  supervisorEnded(): void {
    this.#isSupervised = false;
    // A gate that was never opened has done nothing, and ends with its pipe.
    this.#child?.stdin?.end();
    void this.#leave();
  }

  /** Ends everything in the order that the supervisor would have: what is demoted may have to run until it was told. */
  async #leave(): Promise<void> {
    if (this.#demote !== null && this.#emptying === null) await this.#demoteFirst(this.#demote);
    await this.#empty(this.#stopGraceMs);
  }

  /** Bounded by what was told, and ended with all else at the deadline at the latest. */
  async #demoteFirst(order: DemoteOrder): Promise<void> {
    const untilMs = this.#deadline.at - order.spareMs - this.#clock.now();
    // Without a deadline the term is over: its supervisor stood still past it, and another one may lead by now.
    if (untilMs <= 0 || untilMs === Infinity || this.#order === null) return;
    this.#demoteCommand = new DemoteCommand(order, this.#order);
    this.#tellBackstop();
    await this.#demoteCommand.run(Math.min(order.timeoutMs, untilMs));
  }

  #spawn(order: SpawnOrder): void {
    this.#order = order;
    const { hasLock, ...known } = order;
    if (known.lockFiles.length > 0) {
      const lockFiles = new Set(known.lockFiles);
      this.#helpers = { ...known.starter, lockFiles, listNodes: () => [] };
    }
    let child: ChildProcess;
    try {
      child = spawnBehindGate(known, hasLock ? [LOCK_FD] : []);
    } catch (error) {
      // Some errors come so, and others as an event.
      failed(error);
      return;
    }
    child.once('error', failed);
    // A copy of the lock here would keep it from ever being free.
    if (hasLock) closeSync(LOCK_FD);
    if (child.pid === undefined) return;
    this.#child = child;
    child.once('exit', (exitCode, signal) => {
      this.#hasEnded = true;
      // The number of our process is nobody else's as yet: its session is known by it.
      if (this.#own !== null) noteSession(this.#own);
      this.#emptying?.look();
      tell({ type: 'ended', exitCode, signal, at: monotonicNow() });
      this.#tellBackstop();
    });
    const identity = readIdentity(child.pid);
    if (identity !== null) this.#own = ownSession(identity, known.starter);
    tell({ type: 'spawned', pid: child.pid, startTime: identity?.startTime ?? UNKNOWN_TIME });
    // It does nothing as yet: only after this comes what opens its gate.
    this.#tellBackstop();
  }

  #open({ text, isActive }: Extract<ToGuard, { type: 'open' }>): void {
    if (this.#deadline.allowsStart(isActive)) {
      this.#child?.stdin?.end(text);
      if (isActive) setTimeout(() => void this.#rehearse(), REHEARSAL_DELAY_MS);
      return;
    }
    this.#child?.stdin?.end();
    tell({ type: 'refused' });
  }

  /** While nothing is ended: else that looks. */
  look(): void {
    if (this.#emptying === null) keepInSight(this.#sessions());
  }

  /** One that waits to be told what to start: a first spawn takes twice as long as the next. Its gate closes at once. */
  rehearseStart(): void {
    if (this.#child !== null || !this.#isSupervised) return;
    try {
      const order = { command: ['true'], environment: {}, deathSignal: true };
      const child = spawnBehindGate({ ...order, output: 'ignore' }, []);
      child.once('error', () => undefined);
      child.stdin?.end();
    } catch {
      // It is slower then.
    }
  }

  /** Others wait for its emptying, and what was never run takes twice as long: it looks, and ends nothing. */
  async #rehearse(): Promise<void> {
    try {
      for (let round = 0; round < ROUNDS && this.#emptying === null; round += 1) {
        livingMembers(this.#sessions());
        if (this.#helpers !== null) await endRunHelpers({ ...this.#helpers, lockFiles: NONE }, 0);
      }
    } catch {
      // It is slower then.
    }
  }

  #deadlinePassed(): void {
    killGroupOf(this.#child);
    this.#demoteCommand?.kill();
    if (this.#emptying === null) {
      void this.#expire();
      return;
    }
    this.#emptying.shorten(0);
    this.#hurry();
  }

  async #expire(): Promise<void> {
    const deadlineAt = this.#deadline.at;
    await this.#empty(0);
    // If a new term has begun meanwhile, its deadline stays.
    if (this.#deadline.at === deadlineAt) this.#deadline.clear();
    tell({ type: 'expired' });
  }

  /** Until nothing is left, however long that takes: what is active still keeps the lease. */
  async #empty(graceMs: number): Promise<void> {
    if (this.#emptying !== null) {
      this.#emptying.shorten(graceMs);
      return;
    }
    const order = this.#return;
    const begun = order === null ? null : returningAsTold(order);
    const deadlineAt = this.#deadline.at;
    const killAt = Math.min(this.#clock.now() + graceMs, deadlineAt);
    const withinMs = (): number => Math.max(0, killAt - this.#clock.now());
    let isProved: boolean;
    for (;;) {
      this.#emptying = new Emptying(() => this.#sessions(), withinMs());
      const remaining = await this.#emptying.done;
      isProved = areEmpty(this.#sessions());
      if (remaining.length > 0 || !(await this.#endHelpers(withinMs()))) continue;
      // Who may be a stranger is not signalled. While he may be ours as well the lease is not given back: it runs out.
      const isOver = deadlineAt === Infinity || this.#clock.now() >= deadlineAt;
      if (isProved || order === null || isOver) break;
      await pause(RETRY_MS);
    }
    // The supervisor gives back by itself what it has given up meanwhile, or goes on with it.
    const isDue = (): boolean =>
      this.#return === order && (!this.#isSupervised || this.#deadline.at === deadlineAt);
    if (isProved && order !== null && begun !== null && isDue()) {
      await this.#giveBack(order, { begun, isDue });
      if (isDue()) this.#return = null;
    }
    this.#emptying = null;
    // They are empty: what has their number some day is a stranger.
    if (isProved) this.#others = [];
    this.#tellBackstop();
    if (!this.#isSupervised) this.#exit();
  }

  /** More than once: a request that was lost costs the others the rest of the lease. */
  async #giveBack(
    order: string,
    { begun, isDue }: { readonly begun: () => Promise<boolean>; readonly isDue: () => boolean },
  ): Promise<void> {
    let giveBack = begun;
    for (let attempt = 1; isDue(); attempt += 1) {
      if ((await giveBack()) || attempt >= RETURN_ATTEMPTS) return;
      await pause(RETRY_MS);
      giveBack = returningAsTold(order);
    }
  }

  /** What has left its session and holds the lock still; false: some of it may be there. Never rejects. */
  async #endHelpers(graceMs: number): Promise<boolean> {
    if (this.#helpers === null || this.#isSecond) return true;
    const helpers = this.#helpers;
    let kill: () => void = () => undefined;
    const killed = new Promise<void>((resolve) => {
      kill = resolve;
    }).then(() => endRunHelpers(helpers, 0));
    this.#hurry = kill;
    try {
      const left = await Promise.race([endRunHelpers(helpers, graceMs), killed]);
      if (left.length === 0) return true;
    } catch {
      // Nothing was left to look with: nobody knows who is there.
    } finally {
      this.#hurry = () => undefined;
    }
    // A process that is not ours to signal stays until it ends, and would be looked for without a pause.
    await pause(RETRY_MS);
    return false;
  }

  /** What has ended is left out once the supervisor has found its session empty. */
  #tellBackstop(): void {
    const own = this.#own?.process.pid;
    const isOver = this.#hasEnded && !this.#others.some(({ process: { pid } }) => pid === own);
    const sessions = this.#sessions();
    this.#backstop.watch(isOver ? sessions.filter((each) => each !== this.#own) : sessions);
  }

  #exit(): never {
    this.#backstop.dismiss();
    process.exit(0);
  }

  #sessions(): readonly SessionRecord[] {
    const own = [this.#own, this.#demoteCommand?.session ?? null].filter(
      (session) => session !== null,
    );
    const pids = new Set(own.map(({ process: { pid } }) => pid));
    return [...own, ...this.#others.filter(({ process: { pid } }) => !pids.has(pid))];
  }
}

function returningAsTold(order: string): () => Promise<boolean> {
  return returning(JSON.parse(order) as ReturnOrder); // written by this guard
}

function failed(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  tell({ type: 'failed', code });
}

function tell(message: FromGuard): void {
  try {
    writeSync(REPORT_FD, `${JSON.stringify(message)}\n`);
  } catch {
    // The supervisor is gone, or stopped so long that its pipe is full: it will see what has become of it all.
  }
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE', 'SIGTSTP'] as const) {
  process.on(signal, () => undefined);
}
ownPriority.raise();
const guard = new Guard();
const read = lineReader((message) => {
  guard.take(message as ToGuard); // of the supervisor, which sends nothing else
});
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk: string) => {
  read(chunk);
});
process.stdin.on('error', () => undefined);
process.stdin.once('close', () => {
  guard.supervisorEnded();
});
setTimeout(() => {
  guard.rehearseStart();
}, REHEARSAL_DELAY_MS).unref();
setInterval(() => {
  guard.look();
}, LOOK_MS).unref();
tell({ type: 'ready' });
