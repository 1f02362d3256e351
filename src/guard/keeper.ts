// A supervisor's side of its guards: each process that it starts gets one as its parent, told of every deadline.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { ProcessIdentity, SessionLedger, SessionRecord } from '../lease/lease-store.ts';
import { packageFile } from '../package-file.ts';
import type { WorkloadEnd } from '../runtime/ports.ts';
import { ownIdentity } from '../fence/process-identity.ts';
import { lackOfDescriptors } from '../spare-descriptors.ts';
import type { GateMessage } from '../workload/environment.ts';
import { identityOf, settleOwnOutput, spawnError } from '../workload/gate.ts';
import type { GatedProcess, GateRequest } from '../workload/gate.ts';
import { gateWords, openingText } from '../workload/gate-script.ts';
import { lineReader } from './messages.ts';
import type { FromGuard, ReturnOrder, Starter, ToGuard } from './messages.ts';

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
  #deadlineAt: number | null = null;
  #sessions: readonly SessionRecord[] = [];
  #isClosed = false;

  constructor(parts: GuardKeeperParts) {
    this.#parts = parts;
  }

  /** As `spawnGated`, as a child of a guard. @throws as that, and FAILOVER_PROMOTION_FAILED */
  readonly spawn = async (request: GateRequest): Promise<GatedProcess> => {
    const guarded = await Guarded.start(request, this.#parts, (lost) => {
      this.#guards.delete(lost);
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
  };

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
    for (const guarded of this.#guards) guarded.dismiss();
    this.#guards.clear();
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

  #dismissEnded(): void {
    for (const guarded of this.#guards) {
      if (guarded.end() === null) continue;
      guarded.dismiss();
      this.#guards.delete(guarded);
    }
  }
}

/** A process behind its gate, and the guard that is its parent. */
class Guarded implements GatedProcess {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly #guard: ChildProcess;
  readonly #words: readonly string[];
  readonly #callbacks: ((end: WorkloadEnd) => void)[] = [];
  #identity: ProcessIdentity | null = null;
  #end: WorkloadEnd | null = null;
  #isDismissed = false;
  #told = 0;
  #heard = 0;
  /** When the first deadline was told that it has not heard of. */
  #unheardSince = 0;

  static async start(
    request: GateRequest,
    { deathSignal, starter: node, startLimitMs }: GuardKeeperParts,
    onLost: (guarded: Guarded) => void,
  ): Promise<Guarded> {
    settleOwnOutput();
    const lack = lackOfDescriptors();
    if (lack !== null) throw spawnError(request.command, lack);
    const { output, lockFd } = request;
    const program = packageFile('dist/bundle/guard.js');
    const guard = spawn(process.execPath, [...FLAGS, program], {
      detached: true,
      stdio: ['pipe', output, output, lockFd ?? 'ignore', 'pipe'],
    });
    if (guard.pid === undefined) {
      const [cause] = (await once(guard, 'error')) as [NodeJS.ErrnoException]; // what the event has
      throw spawnError(request.command, cause);
    }
    const guarded = new Guarded(guard, request);
    const { command, environment } = request;
    const hasLock = lockFd !== null;
    const starter = { ...node, since: ownIdentity().startTime };
    guarded.tell({ type: 'spawn', order: { command, environment, deathSignal, hasLock, starter } });
    const started = await guarded.#firstWord(startLimitMs);
    if (started.type !== 'spawned') {
      guard.kill('SIGKILL');
      const code = started.type === 'failed' ? started.code : REFUSALS[started.type];
      throw spawnError(command, { code });
    }
    guarded.#identity = identityOf(started.pid);
    guard.once('exit', () => {
      if (guarded.#isDismissed) return;
      // The kernel ends its child with it, or it has ended before.
      guarded.#ended({ exitCode: null, signal: 'SIGKILL' });
      onLost(guarded);
    });
    return guarded;
  }

  private constructor(guard: ChildProcess, { command, environment }: GateRequest) {
    this.#guard = guard;
    this.stdout = guard.stdout;
    this.stderr = guard.stderr;
    this.#words = gateWords(command, environment);
    guard.stdin?.on('error', () => undefined);
    const report = guard.stdio[REPORT_FD] as Readable; // as it was asked for above
    const read = lineReader((message) => {
      this.#take(message as FromGuard); // of the guard, which says nothing else
    });
    report.setEncoding('utf8');
    report.on('data', (chunk: string) => {
      read(chunk);
    });
    report.on('error', () => undefined);
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

  #resolveFirst: (word: FirstWord) => void = () => undefined;

  #firstWord(limitMs: number): Promise<FirstWord> {
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        resolve({ type: 'silent' });
      }, limitMs);
      this.#resolveFirst = (word) => {
        clearTimeout(late);
        resolve(word);
      };
      this.#guard.once('exit', () => {
        this.#resolveFirst({ type: 'gone' });
      });
    });
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
