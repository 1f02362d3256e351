// One process behind its gate, and the guard that is its parent, as their supervisor has them.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { ownIdentity } from '../fence/process-identity.ts';
import type { Starter } from '../fence/started-by.ts';
import type { ProcessIdentity } from '../lease/lease-store.ts';
import { packageFile } from '../package-file.ts';
import type { WorkloadEnd } from '../runtime/ports.ts';
import { lackOfDescriptors } from '../spare-descriptors.ts';
import type { GateMessage } from '../workload/environment.ts';
import { settleOwnOutput, spawnError } from '../workload/gate.ts';
import type { EndCallback, GatedProcess, GatePlace, GateRequest } from '../workload/gate.ts';
import { gateWords, openingText } from '../workload/gate-script.ts';
import { readReport } from './messages.ts';
import type { FromGuard, SpawnOrder, ToGuard } from './messages.ts';

/** What a guard is to know to start its process, besides the request. */
export interface StartTerms {
  readonly starter: Omit<Starter, 'since'>;
  /** How long it may take to start what it is told, ms: one that stands still does it never. */
  readonly startLimitMs: number;
  /** Whether the system can end a process with its parent. */
  readonly deathSignal: boolean;
}

/**
 * Starts a guard, which hears next what it is to start, or waits for it.
 *
 * @throws FAILOVER_COMMAND_NOT_EXECUTABLE
 */
export function launch(place: GatePlace & Partial<GateRequest>): GuardedProcess {
  const { output, lockFd, command = [] } = place;
  settleOwnOutput();
  const lack = lackOfDescriptors();
  if (lack !== null) throw spawnError(command, lack);
  return new GuardedProcess(
    spawn(process.execPath, [...FLAGS, packageFile('dist/bundle/guard.js')], {
      detached: true,
      stdio: ['pipe', output, output, lockFd ?? 'ignore', 'pipe'],
    }),
  );
}

/** A process behind its gate, and the guard that is its parent. */
export class GuardedProcess implements GatedProcess {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly #guard: ChildProcess;
  readonly #callbacks: EndCallback[] = [];
  /** What it says first: that it has started what it was told to, or why not. */
  readonly #firstWord: Promise<FirstWord>;
  #resolveFirst: (word: FirstWord) => void = () => undefined;
  #words: readonly string[] = [];
  #identity: ProcessIdentity | null = null;
  #end: WorkloadEnd | null = null;
  #endedAtMs: number | null = null;
  /** When its guard was known to live; null: that has said nothing as yet. */
  #livedAtMs: number | null = null;
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
    readReport(report, (message) => {
      this.#take(message as FromGuard); // of the guard, which says nothing else
    });
  }

  /** Has it start its process. @throws FAILOVER_COMMAND_NOT_EXECUTABLE */
  async begin(
    { command, environment, lockFd, lockFiles }: GateRequest & Pick<SpawnOrder, 'lockFiles'>,
    { deathSignal, starter: node, startLimitMs }: StartTerms,
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
    this.#identity = { ...ownIdentity(), pid: started.pid, startTime: started.startTime };
    this.onGone(() => {
      if (this.#isDismissed) return;
      // First: what has lost its guard is not to be started again as if it had ended by itself.
      onLost();
      // The kernel ends its child with it, or it has ended before.
      this.#ended({ exitCode: null, signal: 'SIGKILL' }, this.#livedAtMs);
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
    // The end of the guard is nobody's news any more: neither it nor its pipes keep this process from ending.
    this.#guard.unref();
    for (const stream of this.#guard.stdio) if (stream instanceof Socket) stream.unref();
  }

  end(): WorkloadEnd | null {
    return this.#end;
  }

  onEnd(callback: EndCallback): void {
    const end = this.#end;
    // It was told with the start.
    if (end === null) this.#callbacks.push(callback);
    else setImmediate(callback, end, this.#endedAtMs);
  }

  #take(message: FromGuard): void {
    switch (message.type) {
      case 'spawned':
      case 'failed':
        this.#resolveFirst(message);
        return;
      case 'ended':
        this.#ended({ exitCode: message.exitCode, signal: message.signal }, message.at);
        return;
      case 'heard':
        this.#heard = message.number;
        this.#livedAtMs = message.at;
        return;
      case 'ready':
      case 'refused':
      case 'expired':
        // What follows from it comes as the end of its process, or as that of the lease.
        return;
    }
  }

  #ended(end: WorkloadEnd, atMs: number | null): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#endedAtMs = atMs;
    for (const callback of this.#callbacks) callback(end, atMs);
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

const REFUSALS = { gone: 'the guard has exited', silent: 'the guard does not answer' } as const;

const REPORT_FD = 4;

/** The guard does next to nothing: little memory, and no compilers that only pay for hot code. */
const FLAGS = [
  ...['--max-semi-space-size=1', '--semi-space-growth-factor=1', '--max-old-space-size=32'],
  ...['--no-turbofan', '--no-maglev', '--no-warnings'],
];
