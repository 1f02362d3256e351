// The gate: a process that has its pid, session and lock, is recorded, and has not yet done anything.
import { execa } from 'execa';
import type { Readable, Writable } from 'node:stream';
import { FailoverError } from '../errors.ts';
import { ownIdentity, readIdentity, UNKNOWN_TIME } from '../fence/process-identity.ts';
import type { ProcessIdentity } from '../lease/lease-store.ts';
import { monotonicNow } from '../runtime/clock.ts';
import type { WorkloadEnd } from '../runtime/ports.ts';
import type { GateMessage } from './environment.ts';
import type { DeathSignal } from './gate-script.ts';
import { gateCommand, gateWords, openingText } from './gate-script.ts';
import { lackOfDescriptors } from '../spare-descriptors.ts';

export type { DeathSignal } from './gate-script.ts';

export interface GateRequest {
  readonly command: readonly string[];
  /** What is set on top of this process's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The description that the process inherits as descriptor 3; null: none. */
  readonly lockFd: number | null;
  /** The signal that the kernel sends when the supervisor dies; null: the process outlives its supervisor. */
  readonly deathSignal: DeathSignal | null;
  /** `pipe`: the output comes through us, because it is read for the readiness check. */
  readonly output: 'inherit' | 'pipe';
}

/**
 * `atMs`: until then its number was nobody else's, on the clock of `monotonicNow`; who tells of the end may have been kept
 * from it for long. Null: nobody knows.
 */
export type EndCallback = (end: WorkloadEnd, atMs: number | null) => void;

/** A process in a session of its own that waits until it is opened, and ends when its pipe ends. */
export interface GatedProcess {
  readonly identity: ProcessIdentity;
  /** Both null with `inherit`. */
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Lets it become the command. Nothing happens if it has ended already. */
  open(message: GateMessage): void;
  /**
   * As `open`, where another process opens it, which writes the role file first: a disk may take its time for that.
   * `onFailure`: it could not be written, and the gate was opened all the same.
   */
  openTelling?(
    message: GateMessage,
    role: { readonly path: string; readonly onFailure: (error: string) => void },
  ): void;
  /** Ends it without its ever having run; has no effect once it was opened. */
  close(): void;
  /** How it ended; null: it has not been seen to. */
  end(): WorkloadEnd | null;
  /** Calls back once, at its end; never before the current turn of the loop is over. */
  onEnd(callback: EndCallback): void;
}

/** Starts a process behind its gate: as a child of this process, or of another that ends it in time. */
export type SpawnGated = (request: GateRequest) => Promise<GatedProcess>;

/** Where a process is started: what it inherits, as far as that is known before its command is. */
export type GatePlace = Pick<GateRequest, 'lockFd' | 'output'>;

/** What is started ahead for one process, whichever that is: its own start takes less time then. */
interface StartedAhead {
  readonly spawn: SpawnGated;
  /** Ends a process that is not needed; has no effect once it was told what to start. */
  readonly dismiss: () => void;
}

/** @param onGone it can't be used any more: it was dismissed, or has ended, before it started anything */
export type StartAhead = (place: GatePlace, onGone: () => void) => StartedAhead;

/**
 * Spawns a command behind its gate. When it resolves, the process exists and waits.
 *
 * @throws FAILOVER_COMMAND_NOT_EXECUTABLE when the system refuses the process (its limit of
 *   processes, descriptors or length of arguments); the gate's own programs are what is started, so
 *   a missing command shows only after it is opened.
 */
export async function spawnGated(request: GateRequest): Promise<GatedProcess> {
  settleOwnOutput();
  const [file, ...args] = gateCommand(request, process.pid);
  const { output, lockFd } = request;
  const lack = lackOfDescriptors();
  if (lack !== null) throw spawnError(request.command, lack);
  const subprocess = execa(file, args, {
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    verbose: 'none',
    env: request.environment,
    // The fourth is descriptor 3: LOCK_FD. execa takes any number, its types list only some.
    stdio: lockFd === null ? ['pipe', output, output] : ['pipe', output, output, lockFd as 3],
  });
  const { pid } = subprocess;
  if (pid === undefined) throw spawnError(request.command, await subprocess);
  const { command, environment } = request;
  return new Gated({ pid, command, environment, process: subprocess });
}

/**
 * The first use of our own streams switches a shared pipe to non-blocking, and every spawn switches it
 * back: in the other order a child would get EAGAIN from its own output.
 */
export function settleOwnOutput(): boolean {
  return process.stdout.writable && process.stderr.writable;
}

/** The part of a started process that is used here. */
interface StartedProcess {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  once(
    event: 'exit',
    listener: (code: number | null, signal: NodeJS.Signals | null) => void,
  ): unknown;
}

class Gated implements GatedProcess {
  readonly identity: ProcessIdentity;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly #pipe: Writable | null;
  /** What is put before the command, the last first. */
  readonly #words: readonly string[];
  readonly #callbacks: EndCallback[] = [];
  #end: WorkloadEnd | null = null;

  constructor(started: {
    readonly pid: number;
    readonly command: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    readonly process: StartedProcess;
  }) {
    this.identity = identityOf(started.pid);
    this.stdout = started.process.stdout;
    this.stderr = started.process.stderr;
    // Now and not when it opens: a takeover waits for that.
    this.#words = gateWords(started.command, started.environment);
    this.#pipe = started.process.stdin;
    // The process may end before it is opened: its end is reported, the broken pipe says nothing more.
    this.#pipe?.on('error', () => undefined);
    started.process.once('exit', (exitCode, signal) => {
      this.#end = { exitCode, signal };
      // Its parent is this process, which has waited for it just now.
      const atMs = monotonicNow();
      for (const callback of this.#callbacks) callback(this.#end, atMs);
    });
  }

  open(message: GateMessage): void {
    this.#pipe?.end(openingText(message, this.#words));
  }

  close(): void {
    // After open() the lines are on their way and end() has been called: nothing left to do.
    if (this.#pipe?.writableEnded === false) this.#pipe.end();
  }

  end(): WorkloadEnd | null {
    return this.#end;
  }

  onEnd(callback: EndCallback): void {
    this.#callbacks.push(callback);
  }
}

/** Without /proc, or if it has ended already: one that no live process is taken for. */
function identityOf(pid: number): ProcessIdentity {
  const unknown = { ...ownIdentity(), pid, startTime: UNKNOWN_TIME };
  try {
    return readIdentity(pid) ?? unknown;
  } catch {
    // The process was started all the same, and has to be recorded.
    return unknown;
  }
}

export function spawnError(
  command: readonly string[],
  result: { readonly code?: string | undefined; readonly cause?: unknown },
): FailoverError {
  const name = command[0] ?? '';
  return new FailoverError(
    'FAILOVER_COMMAND_NOT_EXECUTABLE',
    `Cannot start ${name}: ${result.code ?? 'the system refused the process'}`,
    { cause: result.cause, hint: SPAWN_HINTS[result.code ?? ''] ?? DEFAULT_SPAWN_HINT },
  );
}

const DEFAULT_SPAWN_HINT = 'Check that `sh` is in the PATH and that this user may start processes.';

const SPAWN_HINTS: Readonly<Record<string, string>> = {
  E2BIG: 'Use fewer or shorter arguments and variables for the command.',
  EAGAIN: "Raise this user's process limit (`ulimit -u`).",
  EMFILE: 'Raise the open file limit (`ulimit -n`).',
  ENOMEM: 'Free up memory on this machine.',
};
