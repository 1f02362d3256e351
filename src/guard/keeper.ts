// A supervisor's side of its guards: each process that it starts gets one as its parent, told of every deadline.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { ProcessIdentity, SessionLedger, SessionRecord } from '../lease/lease-store.ts';
import { packageFile } from '../package-file.ts';
import type { WorkloadEnd } from '../runtime/ports.ts';
import { ownIdentity } from '../fence/process-identity.ts';
import { identityOfDescriptor } from '../lease/file/file-identity.ts';
import { lackOfDescriptors } from '../spare-descriptors.ts';
import type { GateMessage } from '../workload/environment.ts';
import { identityOf, settleOwnOutput, spawnError } from '../workload/gate.ts';
import type {
  GatedProcess,
  GatePlace,
  GateRequest,
  SpawnGated,
  StartAhead,
} from '../workload/gate.ts';
import { gateWords, openingText } from '../workload/gate-script.ts';
import { lineReader } from './messages.ts';
import type { FromGuard, ReturnOrder, SpawnOrder, Starter, ToGuard } from './messages.ts';

export interface GuardKeeperParts {
  readonly ledger: SessionLedger;
  readonly starter: Omit<Starter, 'since'>;
  readonly stopGraceMs: number;
  /** How long a guard may take to say that it has heard of a deadline, ms. */
  readonly patienceMs: number;
  /** How long one may take to start what it is told, ms: one that stands still does it never. */
  readonly startLimitMs: number;
  /** Whether the system can end a process with its parent. */
  readonly deathSignal: boolean;
  readonly now: () => number;
  readonly returnOrder: () => ReturnOrder | null;
  /** A guard is gone, or does not answer: nobody ends the workload in time any more. */
  readonly onLost: (cause: string) => void;
}

export class GuardKeeper implements SessionLedger {
  readonly #parts: GuardKeeperParts;
  readonly #guards = new Set<Guarded>();
  /** Those that have not been told yet what to start. */
  readonly #ahead = new Set<Guarded>();
  /** The identities of the lock files that were handed on, the latest last. */
  readonly #lockFiles = new Set<string>();
  #deadlineAt: number | null = null;
  #sessions: readonly SessionRecord[] = [];
  #isClosed = false;

  constructor(parts: GuardKeeperParts) {
    this.#parts = parts;
  }

  /** As `spawnGated`, as a child of a guard. @throws as that, and FAILOVER_PROMOTION_FAILED */
  readonly spawn: SpawnGated = async (request) => this.#begin(launch(request), request);

  /** Starts a guard that waits for what it is to start: its own start takes longer than all the rest. */
  readonly startAhead: StartAhead = (place, onGone) => {
    const guarded = launch(place);
    if (this.#isClosed) guarded.dismiss();
    else this.#ahead.add(guarded);
    const gone = (): void => {
      if (this.#ahead.delete(guarded)) onGone();
    };
    guarded.onGone(gone);
    return {
      spawn: async (request) => {
        this.#ahead.delete(guarded);
        return this.#begin(guarded, request);
      },
      dismiss: () => {
        // One that has started something ends that, too, and in a term gives the lease back.
        if (this.#ahead.has(guarded)) guarded.dismiss();
        gone();
      },
    };
  };

  async #begin(guarded: Guarded, request: GateRequest): Promise<GatedProcess> {
    const lockFiles = this.#lockFilesWith(request.lockFd);
    await guarded.begin({ ...request, lockFiles }, this.#parts, () => {
      this.#guards.delete(guarded);
      if (this.#deadlineAt !== null) this.#parts.onLost('the guard of the workload is gone');
    });
    if (this.#isClosed) {
      guarded.dismiss();
      return guarded;
    }
    // What came before it has ended, or it would not be started.
    this.#dismissEnded();
    this.#guards.add(guarded);
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

  isOver(): boolean {
    return this.#deadlineAt !== null && this.#parts.now() >= this.#deadlineAt;
  }

  /** The lease is given back, or lost, and nothing is active any more. */
  rest(): void {
    this.#deadlineAt = null;
    for (const guarded of this.#guards) guarded.tell({ type: 'rest' });
    this.#dismissEnded();
  }

  /** For a node that ends: what still runs is ended by its guard, which keeps this process no longer. */
  close(): void {
    this.rest();
    this.#isClosed = true;
    for (const guarded of [...this.#guards, ...this.#ahead]) guarded.dismiss();
    this.#guards.clear();
    this.#ahead.clear();
  }

  setSessions(sessions: readonly SessionRecord[]): void {
    this.#parts.ledger.setSessions(sessions);
    this.#sessions = sessions;
    for (const guarded of this.#guards) this.#tellTerm(guarded);
  }

  #tellTerm(guarded: Guarded): void {
    const { stopGraceMs, returnOrder } = this.#parts;
    const order = this.#deadlineAt === null ? null : returnOrder();
    guarded.tell({ type: 'term', stopGraceMs, return: order, sessions: this.#sessions });
  }

  /** Also for a command without a lock: what an ended one has left behind may hold it. */
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

  #dismissEnded(): void {
    for (const guarded of this.#guards) {
      if (guarded.end() === null) continue;
      guarded.dismiss();
      this.#guards.delete(guarded);
    }
  }
}

/** A file is another one only where somebody replaced it. */
const MOST_LOCK_FILES = 16;

/** @throws FAILOVER_COMMAND_NOT_EXECUTABLE */
function launch({ output, lockFd, command = [] }: GatePlace & Partial<GateRequest>): Guarded {
  settleOwnOutput();
  const lack = lackOfDescriptors();
  if (lack !== null) throw spawnError(command, lack);
  return new Guarded(
    spawn(process.execPath, [...FLAGS, packageFile('dist/bundle/guard.js')], {
      detached: true,
      stdio: ['pipe', output, output, lockFd ?? 'ignore', 'pipe'],
    }),
  );
}

/** A process behind its gate, and the guard that is its parent. */
class Guarded implements GatedProcess {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly #guard: ChildProcess;
  readonly #callbacks: ((end: WorkloadEnd) => void)[] = [];
  /** What it says first: that it has started what it was told to, or why not. */
  readonly #firstWord: Promise<FirstWord>;
  #resolveFirst: (word: FirstWord) => void = () => undefined;
  #words: readonly string[] = [];
  #identity: ProcessIdentity | null = null;
  #end: WorkloadEnd | null = null;
  #isDismissed = false;
  #told = 0;
  #heard = 0;
  /** When the first deadline was told that it has not heard of. */
  #unheardSince = 0;

  /** A guard that was started just now, and not yet told what to start. */
  constructor(guard: ChildProcess) {
    this.#guard = guard;
    this.stdout = guard.stdout;
    this.stderr = guard.stderr;
    this.#firstWord = new Promise((resolve) => {
      this.#resolveFirst = resolve;
    });
    guard.once('error', (error: NodeJS.ErrnoException) => {
      this.#resolveFirst({ type: 'failed', code: error.code ?? error.message });
    });
    guard.once('exit', () => {
      this.#resolveFirst({ type: 'gone' });
    });
    // The system refused the process, and may have made no pipes.
    if (guard.pid === undefined) return;
    guard.stdin?.on('error', () => undefined);
    const report = guard.stdio[REPORT_FD] as Readable; // as it was asked for
    const read = lineReader((message) => {
      this.#take(message as FromGuard); // of the guard, which says nothing else
    });
    report.setEncoding('utf8');
    report.on('data', (chunk: string) => {
      read(chunk);
    });
    report.on('error', () => undefined);
  }

  /** Has it start its process. @throws FAILOVER_COMMAND_NOT_EXECUTABLE */
  async begin(
    { command, environment, lockFd, lockFiles }: GateRequest & Pick<SpawnOrder, 'lockFiles'>,
    { deathSignal, starter: node, startLimitMs }: GuardKeeperParts,
    onLost: () => void,
  ): Promise<void> {
    this.#words = gateWords(command, environment);
    const hasLock = lockFd !== null;
    const starter = { ...node, since: ownIdentity().startTime };
    const order = { command, environment, deathSignal, hasLock, lockFiles, starter };
    this.tell({ type: 'spawn', order });
    const started = await this.#firstWordWithin(startLimitMs);
    if (started.type !== 'spawned') {
      this.#guard.kill('SIGKILL');
      const code = started.type === 'failed' ? started.code : REFUSALS[started.type];
      throw spawnError(command, { code });
    }
    this.#identity = identityOf(started.pid);
    this.onGone(() => {
      if (this.#isDismissed) return;
      // The kernel ends its child with it, or it has ended before.
      this.#ended({ exitCode: null, signal: 'SIGKILL' });
      onLost();
    });
  }

  /** Calls back at the end of the guard itself, or once it turns out that there is none. */
  onGone(callback: () => void): void {
    if (this.#guard.pid === undefined) this.#guard.once('error', callback);
    else this.#guard.once('exit', callback);
  }

  get identity(): ProcessIdentity {
    if (this.#identity === null) throw new Error('identity: it has not been started');
    return this.#identity;
  }

  tell(message: ToGuard): void {
    if (this.#guard.stdin?.writable === true) {
      this.#guard.stdin.write(`${JSON.stringify(message)}\n`);
    }
  }

  open(message: GateMessage): void {
    const isActive = message.role === 'primary';
    this.tell({ type: 'open', text: openingText(message, this.#words), isActive });
  }

  close(): void {
    this.tell({ type: 'close' });
  }

  extend(at: number, nowMs: number): void {
    if (this.#heard === this.#told) this.#unheardSince = nowMs;
    this.#told += 1;
    this.tell({ type: 'deadline', at, number: this.#told });
  }

  silentForMs(nowMs: number): number {
    return this.#heard === this.#told ? 0 : nowMs - this.#unheardSince;
  }

  dismiss(): void {
    this.#isDismissed = true;
    if (this.#guard.pid === undefined) return;
    this.tell({ type: 'dismiss' });
    this.#guard.stdin?.end();
    // Its end is nobody's news any more: neither it nor its pipes keep this process from ending.
    this.#guard.unref();
    for (const stream of this.#guard.stdio) if (stream instanceof Socket) stream.unref();
  }

  end(): WorkloadEnd | null {
    return this.#end;
  }

  onEnd(callback: (end: WorkloadEnd) => void): void {
    const end = this.#end;
    // It was told with the start.
    if (end !== null) {
      setImmediate(() => {
        callback(end);
      });
      return;
    }
    this.#callbacks.push(callback);
  }

  #take(message: FromGuard): void {
    switch (message.type) {
      case 'spawned':
      case 'failed':
        this.#resolveFirst(message);
        return;
      case 'ended':
        this.#ended({ exitCode: message.exitCode, signal: message.signal });
        return;
      case 'heard':
        this.#heard = message.number;
        return;
      case 'ready':
      case 'refused':
      case 'expired':
        // What follows from it comes as the end of its process, or as that of the lease.
        return;
    }
  }

  #ended(end: WorkloadEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    for (const callback of this.#callbacks) callback(end);
  }

  async #firstWordWithin(limitMs: number): Promise<FirstWord> {
    const late = new AbortController();
    const silence = pause(limitMs, { type: 'silent' } as const, { signal: late.signal });
    // Ended below, and then nobody waits for it.
    silence.catch(() => undefined);
    try {
      return await Promise.race([this.#firstWord, silence]);
    } finally {
      late.abort();
    }
  }
}

type FirstWord =
  Extract<FromGuard, { type: 'spawned' | 'failed' }> | { readonly type: 'gone' | 'silent' };

const REFUSALS = { gone: 'the guard has ended', silent: 'the guard does not answer' } as const;

const REPORT_FD = 4;

/** It does next to nothing: little room, and no compilers that pay for themselves in what is hot. */
const FLAGS = [
  ...['--max-semi-space-size=1', '--semi-space-growth-factor=1', '--max-old-space-size=32'],
  ...['--no-turbofan', '--no-maglev', '--no-warnings'],
];
