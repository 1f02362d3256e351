// The supervisor's side of its starter: what it asks of it, what it hears, and what follows where it is gone.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { ownIdentity } from '../fence/process-identity.ts';
import { readReport } from '../guard/messages.ts';
import { identityOfDescriptor } from '../lease/file/file-identity.ts';
import type { ProcessIdentity } from '../lease/lease-store.ts';
import { packageFile } from '../package-file.ts';
import type { WorkloadEnd } from '../runtime/ports.ts';
import type { GateMessage } from '../workload/environment.ts';
import { settleOwnOutput, spawnError } from '../workload/gate.ts';
import type { EndCallback, GatedProcess, GateRequest } from '../workload/gate.ts';
import type { Answer, FromStarter, SpawnOrder, ToStarter } from './messages.ts';

/** What it may be told of one start. */
type Word = WordOf<ToStarter>;
type WordOf<Message> = Message extends unknown ? Omit<Message, 'id'> : never;

/** As an `EndCallback` is told of it. */
interface KnownEnd {
  readonly end: WorkloadEnd;
  readonly atMs: number | null;
}

/**
 * A process that starts what a supervisor of many groups runs. Starting one takes the system the longer the more memory
 * and files the process has that does it, and that one has next to none; and the supervisor goes on meanwhile.
 */
export class Starter {
  readonly #process: ChildProcess;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  readonly #running = new Map<number, StartedProcess>();
  /** Of what has ended before anybody could ask for it. */
  readonly #earlyEnds = new Map<number, KnownEnd>();
  #lastId = 0;
  #isReady = false;
  #isGone = false;
  /** When it was known to live, and to have waited for no more than it has told of; null: it was not asked as yet. */
  #livedAtMs: number | null = null;
  /** How often it was looked at, one after the other, and had said nothing. */
  #silentLooks = 0;
  readonly #lookMs: number;
  #watch: NodeJS.Timeout | null = null;

  /**
   * @param lookMs how often it is asked whether it goes on
   * @throws what the system says, where that does not come as its end
   */
  constructor(lookMs: number = LOOK_MS) {
    this.#lookMs = lookMs;
    settleOwnOutput();
    const [file, ...args] = command();
    const starter = spawn(file, args, {
      detached: true,
      env: withoutMarks(process.env),
      stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
    });
    this.#process = starter;
    starter.once('error', this.#gone);
    // After what it has said last.
    starter.once('close', this.#gone);
    if (starter.pid === undefined) return;
    starter.stdin?.on('error', () => undefined);
    const report = starter.stdio[REPORT_FD] as Readable; // as it was asked for
    readReport(report, (message) => {
      this.#take(message as FromStarter); // of the starter, which says nothing else
    });
    // Neither it nor its pipes keep this process from ending.
    starter.unref();
    for (const stream of starter.stdio) if (stream instanceof Socket) stream.unref();
    this.#reach(packageFile('package.json')).catch(() => {
      // No descriptor was left, say: it is not used.
    });
  }

  /** Undefined: the system refused it. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Whether it runs, and finds what this process has open: before it has said so it is not used. */
  get isReady(): boolean {
    return this.#isReady && !this.#isGone;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** The number of another start. */
  newId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  tell(id: number, word: Word): void {
    const { stdin } = this.#process;
    if (stdin?.writable !== true) return;
    // What is said in one go is written in one go.
    if (stdin.writableCorked === 0) {
      stdin.cork();
      process.nextTick(() => {
        stdin.uncork();
      });
    }
    stdin.write(`${JSON.stringify({ id, ...word })}\n`);
  }

  /** Tells what is answered. Of each start one thing at a time. */
  async ask(id: number, word: Word): Promise<Answer> {
    if (this.#isGone) return GONE;
    this.tell(id, word);
    const answer = new Promise<Answer>((resolve) => {
      this.#answers.set(id, resolve);
    });
    return answer;
  }

  /** @throws FAILOVER_COMMAND_NOT_EXECUTABLE */
  async spawn(id: number, request: GateRequest): Promise<GatedProcess> {
    const { command, environment, deathSignal } = request;
    if (deathSignal === null) throw new Error('spawn: what a starter starts ends with it');
    const order = { type: 'spawn', command, environment, deathSignal } as const;
    // The system would refuse it as well, but the other commands would not be heard of any more.
    if (JSON.stringify(order).length > ORDER_LIMIT) throw spawnError(command, { code: 'E2BIG' });
    const answer = await this.ask(id, order);
    if (answer.type !== 'spawned') throw spawnError(command, refusalIn(answer));
    const identity = { ...ownIdentity(), pid: answer.pid, startTime: answer.startTime };
    const started = new StartedProcess(this, { id, identity, deathSignal });
    const end = this.#earlyEnds.get(id);
    this.#earlyEnds.delete(id);
    if (end !== undefined) started.ended(end.end, end.atMs);
    else if (this.#isGone) started.orphaned(this.#livedAtMs);
    else this.#running.set(id, started);
    return started;
  }

  async #reach(path: string): Promise<void> {
    const fd = openSync(path, 'r');
    try {
      const file = ownDescriptorPath(fd);
      const order = { type: 'reach', file, identity: identityOfDescriptor(fd) } as const;
      this.#isReady = (await this.ask(this.newId(), order)).type === 'reached';
      // Before, nobody waits for it.
      if (this.isReady) this.#watch = setInterval(this.#look, this.#lookMs).unref();
    } finally {
      closeSync(fd);
    }
  }

  #take(message: FromStarter): void {
    this.#silentLooks = 0;
    const { id } = message;
    if (message.type === 'ended') {
      const { exitCode, signal, at: atMs } = message;
      const end = { exitCode, signal };
      const started = this.#running.get(id);
      this.#running.delete(id);
      if (started === undefined) this.#earlyEnds.set(id, { end, atMs });
      else started.ended(end, atMs);
      return;
    }
    if (message.type === 'pong') this.#livedAtMs = message.at;
    const resolve = this.#answers.get(id);
    this.#answers.delete(id);
    resolve?.(message);
  }

  /**
   * One that stands still starts nothing, keeps the locks that it should give back, and tells of no end: it is ended, and
   * does nothing more from then on, even where the system takes its time.
   */
  readonly #look = (): void => {
    this.#silentLooks += 1;
    if (this.#silentLooks > MOST_SILENT_LOOKS) {
      this.#process.kill('SIGKILL');
      this.#gone();
    } else {
      this.tell(0, { type: 'ping' });
    }
  };

  readonly #gone = (): void => {
    if (this.#isGone) return;
    this.#isGone = true;
    if (this.#watch !== null) clearInterval(this.#watch);
    for (const resolve of this.#answers.values()) resolve(GONE);
    this.#answers.clear();
    for (const started of this.#running.values()) started.orphaned(this.#livedAtMs);
    this.#running.clear();
    this.#earlyEnds.clear();
  };
}

/** By which another process finds what this one has open. */
export function ownDescriptorPath(fd: number): string {
  return `/proc/${String(process.pid)}/fd/${String(fd)}`;
}

/** Less than what is taken for no line any more; the system takes no longer ones either, by default. */
const ORDER_LIMIT = 4 * 1024 * 1024;

/** Looks, not time: a supervisor that stood still itself has not looked. */
const MOST_SILENT_LOOKS = 20;

const LOOK_MS = 1_000;

const REPORT_FD = 3;

const GONE: Answer = { type: 'failed', code: 'the process that starts commands has exited' };

export function refusalIn(answer: Answer): { readonly code: string } {
  return { code: answer.type === 'failed' ? answer.code : answer.type };
}

/** The system ends it with its supervisor, and what it has started with it. */
function command(): [string, ...string[]] {
  const node = [process.execPath, ...FLAGS, packageFile('dist/bundle/starter.js')];
  return ['setpriv', '--pdeathsig', 'KILL', '--', ...node];
}

/** It has little to keep: the less memory, the sooner the system has started another process. */
const FLAGS = [
  ...['--max-semi-space-size=1', '--semi-space-growth-factor=1', '--max-old-space-size=256'],
  '--no-warnings',
];

/** By these a process is known as started by a node: what it starts gets its own, and it is none. */
function withoutMarks(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const left = { ...env };
  for (const name of ['GROUP', 'NODE', 'STATE_DIR', 'ROLE_FILE', 'LOCK_FD']) {
    Reflect.deleteProperty(left, `FAILOVER_${name}`);
  }
  return left;
}

/** A process behind its gate, and a child of the starter. */
class StartedProcess implements GatedProcess {
  readonly identity: ProcessIdentity;
  readonly stdout = null;
  readonly stderr = null;
  readonly #starter: Starter;
  readonly #id: number;
  readonly #deathSignal: SpawnOrder['deathSignal'];
  readonly #callbacks: EndCallback[] = [];
  #isOpen = false;
  #end: KnownEnd | null = null;

  constructor(
    starter: Starter,
    started: {
      readonly id: number;
      readonly identity: ProcessIdentity;
      readonly deathSignal: SpawnOrder['deathSignal'];
    },
  ) {
    this.#starter = starter;
    this.#id = started.id;
    this.identity = started.identity;
    this.#deathSignal = started.deathSignal;
  }

  open(message: GateMessage): void {
    this.#isOpen = true;
    // Where there is no answer the starter is ended, and this with it.
    void this.#starter.ask(this.#id, { type: 'open', message, roleFile: null });
  }

  openTelling(
    message: GateMessage,
    { path, onFailure }: { readonly path: string; readonly onFailure: (error: string) => void },
  ): void {
    this.#isOpen = true;
    const asked = this.#starter.ask(this.#id, { type: 'open', message, roleFile: path });
    void asked.then((answer) => {
      if (answer.type === 'opened' && answer.roleFailure !== null) onFailure(answer.roleFailure);
    });
  }

  close(): void {
    if (!this.#isOpen) this.#starter.tell(this.#id, { type: 'close' });
  }

  end(): WorkloadEnd | null {
    return this.#end?.end ?? null;
  }

  onEnd(callback: EndCallback): void {
    const known = this.#end;
    if (known === null) this.#callbacks.push(callback);
    else setImmediate(callback, known.end, known.atMs);
  }

  /** @param atMs as for `EndCallback` */
  ended(end: WorkloadEnd, atMs: number | null): void {
    if (this.#end !== null) return;
    this.#end = { end, atMs };
    for (const callback of this.#callbacks) callback(end, atMs);
  }

  /**
   * Its starter is gone: the system has told it to end, and nobody tells when it has. Whoever starts the next, or gives
   * the lease back, empties its session first, with a grace and then without.
   */
  orphaned(livedAtMs: number | null): void {
    this.ended({ exitCode: null, signal: `SIG${this.#deathSignal}` }, livedAtMs);
  }
}
