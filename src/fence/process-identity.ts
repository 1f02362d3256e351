// Who a process is: its pid and what keeps a reused pid from being taken for it.
import { closeSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import type { ProcessIdentity } from '../lease/lease-store.ts';
import { isOutOfResources } from '../out-of-resources.ts';

/** What /proc/<pid>/stat says that matters here. */
export interface ProcessStat {
  readonly pid: number;
  /** The name of the executable, cut to 15 characters by the kernel; may hold spaces and brackets. */
  readonly name: string;
  /** R, S, D, T, t, Z, X, I: see proc(5). */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly threads: number;
  /** Clock ticks since boot, as text. */
  readonly startTime: string;
}

/** The identity of a live process; null when there is none, or none can be proved here. */
export function readIdentity(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat === null || hasEnded(stat) ? null : identityOf(stat);
}

/**
 * The identity that a process seen in our /proc has. The namespace is ours, whatever the process's own:
 * it says where the pid counts. So another user's process, whose namespace can't be read, has one too.
 */
export function identityOf(stat: ProcessStat): ProcessIdentity {
  const { pid, startTime } = stat;
  return { pid, startTime, bootId: bootId(), pidNamespace: ownPidNamespace() };
}

/** In place of the start time of a process that nobody could look at. */
export const UNKNOWN_TIME = 'unknown';

/** The identity of this process. Where there is no /proc: best effort, comparable on this host only. */
export function ownIdentity(): ProcessIdentity {
  return (own ??= readIdentity(process.pid) ?? {
    pid: process.pid,
    startTime: UNKNOWN_TIME,
    bootId: bootId(),
    pidNamespace: ownPidNamespace(),
  });
}

/**
 * Whether the very process is there still and no zombie. False also when it can't be told: another boot
 * or pid namespace (see `isComparable`). Where there is no /proc: whether the pid is in use.
 */
export function isAlive(identity: ProcessIdentity): boolean {
  if (!isComparable(identity)) return false;
  if (!procIsUsable()) return pidIsInUse(identity.pid);
  // This process runs: with a thousand nodes it need not look itself up for each of them.
  if (identity.pid === process.pid) return identity.startTime === ownIdentity().startTime;
  const stat = readStat(identity.pid);
  return stat !== null && stat.startTime === identity.startTime && !hasEnded(stat);
}

/**
 * As `isAlive`, for one that may be another machine's. Unknown too: where its number is in use by one that is hidden
 * from us (`hidepid`).
 */
export function stateOfProcess(identity: ProcessIdentity): 'alive' | 'gone' | 'unknown' {
  if (!isComparable(identity)) return 'unknown';
  if (isAlive(identity)) return 'alive';
  return readStat(identity.pid) === null && pidIsInUse(identity.pid) ? 'unknown' : 'gone';
}

/** Whether pids of that identity mean anything here: same boot, same pid namespace. */
export function isComparable(identity: ProcessIdentity): boolean {
  return identity.bootId === bootId() && identity.pidNamespace === ownPidNamespace();
}

/** Whether it can be told from a later process with its number: one that ended before it was seen, or is hidden, can't. */
export function hasKnownStart({ startTime }: Pick<ProcessIdentity, 'startTime'>): boolean {
  return /^\d+$/.test(startTime);
}

/** Whether both name the same process. */
export function isSameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return (
    a.pid === b.pid &&
    a.startTime === b.startTime &&
    a.bootId === b.bootId &&
    a.pidNamespace === b.pidNamespace
  );
}

/**
 * Whether it is a zombie or dead: it runs nothing and holds nothing. A process whose first thread alone
 * has ended reads as a zombie too, and runs on in its other threads.
 */
export function hasEnded(stat: Pick<ProcessStat, 'state' | 'threads'>): boolean {
  return (stat.state === 'Z' && stat.threads <= 1) || stat.state === 'X' || stat.state === 'x';
}

/** One process's stat; null: gone, or there is no /proc whose pids are ours. */
export function readStat(pid: number): ProcessStat | null {
  if (!procIsUsable()) return null;
  const length = readStatInto(statBuffer, pid);
  return length === 0 ? null : parseStat(statBuffer.toString('latin1', 0, length));
}

/**
 * What changes with each exec() of a process: where its program and what that was given lie in its memory, which is
 * random by default. Undefined: it is gone, or may not be looked into, and then its environment may not be read either.
 */
export function programOf(pid: number): string | undefined {
  const length = readStatInto(statBuffer, pid);
  const text = statBuffer.toString('latin1', 0, length);
  // Fields 26 to 28 and 45 to 51 of the line, and its name.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (Number(fields[25] ?? 0) === 0) return undefined;
  const places = [...fields.slice(23, 26), ...fields.slice(42, 49)];
  return [text.slice(text.indexOf('('), text.lastIndexOf(')')), ...places].join(' ');
}

/** Reads /proc/<pid>/stat into a buffer of the caller's; 0: gone. */
export function readStatInto(buffer: Buffer, pid: number | string): number {
  return readFileInto(buffer, `/proc/${String(pid)}/stat`);
}

/**
 * Reads what is known of a process into a buffer of the caller's; 0: gone. For scans, which reuse one buffer.
 *
 * @throws the system's error when it has nothing left to look with: that is not "gone"
 */
export function readFileInto(buffer: Buffer, path: string): number {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return 0;
  }
  try {
    return readSync(fd, buffer, 0, buffer.length, 0);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    // ESRCH: it ended between the two calls.
    return 0;
  } finally {
    closeSync(fd);
  }
}

/** Parses from the last bracket on: the name before it may hold anything, brackets too. */
export function parseStat(text: string): ProcessStat | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  const fields = text.slice(close + 2).split(' ');
  const [state, parent, group, session] = fields;
  // Fields 20 and 22 of the line; the state, first here, is field 3.
  const [threads, , startTime] = fields.slice(17);
  if (state === undefined || session === undefined || startTime === undefined) return null;
  return {
    pid: Number.parseInt(text, 10),
    name: text.slice(open + 1, close),
    state,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    threads: Number(threads),
    startTime,
  };
}

/** This boot's random id; '' where the system has none. */
export function bootId(): string {
  return (boot ??= readOr('', () =>
    readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
  ));
}

/**
 * Whether /proc is there and shows our pid namespace. After `unshare --pid` without a new /proc, or with
 * the host's /proc in a container, its pids are others' and a signal by them would hit a stranger.
 */
export function procIsUsable(): boolean {
  return (usable ??= readOr('', () => readlinkSync('/proc/self')) === String(process.pid));
}

/** Longer than any stat line: 52 numbers of at most 20 digits and a name of at most 64 bytes. */
export const STAT_LENGTH = 2048;

const statBuffer = Buffer.allocUnsafe(STAT_LENGTH);
let own: ProcessIdentity | undefined;
let boot: string | undefined;
let namespace: string | undefined;
let usable: boolean | undefined;

/** `pid:[4026531836]` → `4026531836`; '' where there is none. */
function ownPidNamespace(): string {
  return (namespace ??= readOr('', () => readlinkSync('/proc/self/ns/pid')).replace(/\D/g, ''));
}

function readOr(fallback: string, read: () => string): string {
  try {
    return read();
  } catch (error) {
    // What is kept for good must not be what was so for a moment.
    if (isOutOfResources(error)) throw error;
    return fallback;
  }
}

function pidIsInUse(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
