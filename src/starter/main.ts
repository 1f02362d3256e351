// The starter: a small process beside a supervisor of many groups. It is the parent of what they run, which ends with it.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { tryLock } from 'fs-native-extensions';
import { readStat, UNKNOWN_TIME } from '../fence/process-identity.ts';
import { lineReader } from '../guard/messages.ts';
import { identityOfDescriptor, identityOfPath } from '../lease/file/file-identity.ts';
import { monotonicNow } from '../runtime/clock.ts';
import { gateCommand, gateWords, openingText } from '../workload/gate-script.ts';
import { roleContentOf, writeRoleFile } from '../workload/role-file.ts';
import type { Answer, FromStarter, HoldOrder, SpawnOrder, ToStarter } from './messages.ts';

const REPORT_FD = 3;

/** What a supervisor has begun to start. */
interface Start {
  readonly id: number;
  /** The lock file; null: it is not open, or not any more. */
  lockFd: number | null;
  /** Why it could not be opened. */
  obstacle: string | null;
  child: ChildProcess | null;
  /** What is put before the command as its gate opens; null: it was opened, or is not there. */
  order: Pick<SpawnOrder, 'command' | 'environment'> | null;
}

class Starter {
  readonly #starts = new Map<number, Start>();
  readonly #waiting: { readonly start: Start; readonly order: SpawnOrder }[] = [];
  /** Read once: reading it takes longer than all the rest. */
  readonly #environment = { ...process.env };

  take(message: ToStarter): void {
    if (message.type === 'hold') {
      this.#starts.set(message.id, held(message));
      return;
    }
    if (message.type === 'reach') {
      tell({ id: message.id, ...reached(message) });
      return;
    }
    if (message.type === 'ping') {
      tell({ id: message.id, type: 'pong', at: Math.floor(monotonicNow()) });
      return;
    }
    const start = this.#starts.get(message.id);
    // What has ended is told of nothing: its end was said.
    if (start === undefined) {
      if (ANSWERED.has(message.type)) tell({ id: message.id, type: 'failed', code: GIVEN_UP });
      return;
    }
    switch (message.type) {
      case 'lock':
        answer(start, locked(start));
        return;
      case 'spawn':
        this.#waiting.push({ start, order: message });
        if (this.#waiting.length === 1) setImmediate(this.#spawnNext);
        return;
      case 'open':
        answer(start, opened(start, message));
        return;
      case 'close':
        if (start.child?.stdin?.writableEnded === false) start.child.stdin.end();
        return;
      case 'release':
        release(start);
        if (start.child === null) this.#starts.delete(start.id);
        return;
    }
  }

  /** One at a time: between two, what is asked of others is answered, and those that are ready run. */
  readonly #spawnNext = (): void => {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#spawn(next.start, next.order);
    if (this.#waiting.length > 0) setImmediate(this.#spawnNext);
  };

  #spawn(start: Start, { command, environment, deathSignal }: SpawnOrder): void {
    if (start.lockFd === null) {
      answer(start, { type: 'failed', code: start.obstacle ?? GIVEN_UP });
      return;
    }
    const failed = (error: unknown): void => {
      // First: whoever is told finds the lock free.
      release(start);
      answer(start, { type: 'failed', code: codeOf(error) });
    };
    let child: ChildProcess;
    try {
      const [file, ...args] = gateCommand({ command, deathSignal }, process.pid);
      child = spawn(file, args, {
        detached: true,
        env: { ...this.#environment, ...environment },
        stdio: ['pipe', 'inherit', 'inherit', start.lockFd],
      });
    } catch (error) {
      // Some errors come so, and others as an event.
      failed(error);
      return;
    }
    child.once('error', failed);
    child.stdin?.on('error', () => undefined);
    if (child.pid === undefined) return;
    start.child = child;
    start.order = { command, environment };
    // A thousand command lines that nobody asks for any more.
    Reflect.set(child, 'spawnargs', []);
    child.once('exit', (exitCode, signal) => {
      const at = monotonicNow();
      release(start);
      this.#starts.delete(start.id);
      tell({ id: start.id, type: 'ended', exitCode, signal, at });
    });
    answer(start, { type: 'spawned', pid: child.pid, startTime: startTimeOf(child.pid) });
  }
}

/** It was started, and has to be recorded, though the system may have nothing left to look with. */
function startTimeOf(pid: number): string {
  try {
    return readStat(pid)?.startTime ?? UNKNOWN_TIME;
  } catch {
    return UNKNOWN_TIME;
  }
}

const ANSWERED: ReadonlySet<ToStarter['type']> = new Set<ToStarter['type']>([
  ...(['lock', 'spawn', 'open'] as const),
]);

const GIVEN_UP = 'the lock was given up';

function held({ id, file, identity }: HoldOrder & { readonly id: number }): Start {
  const start: Start = { id, lockFd: null, obstacle: null, child: null, order: null };
  try {
    start.lockFd = openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
    if (identityOfDescriptor(start.lockFd) !== identity) release(start);
  } catch (error) {
    start.obstacle = codeOf(error);
  }
  return start;
}

/** A supervisor may be hidden from others of its user, where its program has capabilities, say. */
function reached({ file, identity }: Omit<HoldOrder, 'type'>): Answer {
  try {
    return identityOfPath(file) === identity
      ? { type: 'reached' }
      : { type: 'failed', code: 'another file' };
  } catch (error) {
    return { type: 'failed', code: codeOf(error) };
  }
}

function locked({ lockFd, obstacle }: Start): Answer {
  if (lockFd === null) return { type: 'failed', code: obstacle ?? GIVEN_UP };
  try {
    return { type: 'locked', isLocked: tryLock(lockFd) };
  } catch (error) {
    return { type: 'failed', code: codeOf(error) };
  }
}

function opened(start: Start, { message, roleFile }: Extract<ToStarter, { type: 'open' }>): Answer {
  const { child, order } = start;
  start.order = null;
  const words = order === null ? [] : gateWords(order.command, order.environment);
  let roleFailure: string | null = null;
  try {
    if (roleFile !== null) writeRoleFile(roleFile, roleContentOf(message));
  } catch (error) {
    roleFailure = String(error);
  }
  child?.stdin?.end(openingText(message, words));
  return { type: 'opened', roleFailure };
}

function release(start: Start): void {
  if (start.lockFd !== null) closeSync(start.lockFd);
  start.lockFd = null;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function answer({ id }: Start, word: Answer): void {
  tell({ id, ...word });
}

function tell(message: FromStarter): void {
  try {
    writeSync(REPORT_FD, `${JSON.stringify(message)}\n`);
  } catch {
    // The supervisor is gone: so is this process, and what it has started.
  }
}

// It ends with its supervisor, which is told by the same signals.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE', 'SIGTSTP'] as const) {
  process.on(signal, () => undefined);
}
const starter = new Starter();
const read = lineReader((message) => {
  starter.take(message as ToStarter); // of the supervisor, which sends nothing else
});
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk: string) => {
  read(chunk);
});
process.stdin.on('error', () => undefined);
process.stdin.once('close', () => process.exit(0));
