// What can be read of another process: what it does, how it is called, which group started it.
import { closeSync, openSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { HolderInspection } from '../core/event.ts';
import { isOutOfResources } from '../out-of-resources.ts';
import { hasEnded, readStat } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';

export type Activity = NonNullable<HolderInspection['process']>;

/** The group and directory that `failover` gives to all it starts, through their environment. */
export interface GroupMark {
  readonly group: string;
  readonly stateDir: string;
}

/** What a process's environment says besides. */
export interface ProcessMark {
  readonly node: string | null;
  /** The role file of that very run of the node; null: it was told none. */
  readonly roleFile: string | null;
  /** Which it was started under; 0: none, or it is told another way. */
  readonly epoch: number;
  /** Whether a promote or demote command has started it, or is it. */
  readonly isOfHook: boolean;
}

/** Time of a process's main thread, ms since it started. */
export interface SchedulingTimes {
  readonly onCpuMs: number;
  /** Runnable, but another task had the CPU. */
  readonly waitingMs: number;
}

/** The state letter in words; a process that is gone is ending. */
export function activityOf(stat: ProcessStat | null): Activity {
  if (stat === null || hasEnded(stat)) return 'ending';
  switch (stat.state) {
    case 'R':
      return 'running';
    case 'T':
    case 't':
      return 'stopped';
    case 'D':
      return 'uninterruptible';
    default:
      return 'sleeping';
  }
}

/** `pid 123 (node server.js)`, for messages: one line, bounded, without control characters. */
export function describeProcess(pid: number): string {
  const words = readBounded(`/proc/${String(pid)}/cmdline`, 5 * DESCRIBED_CHARACTERS);
  // Without parentheses of its own: what others leave out of it ends at the first.
  const command = words
    .replace(/\p{Cc}+/gu, ' ')
    .replaceAll('(', '[')
    .replaceAll(')', ']')
    .trim();
  const name = command === '' ? readStat(pid)?.name.replace(/\p{Cc}+/gu, ' ') : shortened(command);
  return name === undefined ? `pid ${String(pid)}` : `pid ${String(pid)} (${name})`;
}

/**
 * The value of a process's environment variables at its start that say it is of this group; null: it
 * isn't, or its environment can't be read.
 */
export function readMark(pid: number, mark: GroupMark): ProcessMark | null {
  const environment = readEnvironment(pid);
  if (environment.get('FAILOVER_GROUP') !== mark.group) return null;
  const stateDir = environment.get('FAILOVER_STATE_DIR');
  if (stateDir === undefined || !isOurs({ pid, stateDir }, mark)) return null;
  const epoch = Number(environment.get('FAILOVER_EPOCH'));
  const isEpoch = Number.isSafeInteger(epoch) && epoch > 0;
  return {
    node: environment.get('FAILOVER_NODE') ?? null,
    roleFile: environment.get('FAILOVER_ROLE_FILE') ?? null,
    epoch: isEpoch ? epoch : 0,
    isOfHook: (environment.get('FAILOVER_HOOK') ?? '') !== '',
  };
}

/** What a process was given as FAILOVER_GROUP; null: nothing. */
export function groupNamedBy(pid: number): string | null {
  return /(?:^|\0)FAILOVER_GROUP=([^\0]*)/.exec(readEnvironmentText(pid))?.[1] ?? null;
}

/** null where the kernel keeps no such account, or the process is gone. */
export function readSchedulingTimes(pid: number): SchedulingTimes | null {
  const text = readBounded(`/proc/${String(pid)}/task/${String(pid)}/schedstat`, 128);
  const [, onCpuNs, waitingNs] = /^(\d+) (\d+) /.exec(text) ?? [];
  if (onCpuNs === undefined || waitingNs === undefined) return null;
  return { onCpuMs: Number(onCpuNs) / 1e6, waitingMs: Number(waitingNs) / 1e6 };
}

/** Share of the last 10 s in which some task waited for the CPU, 0..1; null: the kernel doesn't say. */
export function readCpuPressure(): number | null {
  const share = /^some avg10=([\d.]+)/.exec(readBounded('/proc/pressure/cpu', 256))?.[1];
  return share === undefined ? null : Number(share) / 100;
}

/** The most characters of a command line that are read: more than is shown, so that a cut shows. */
const DESCRIBED_CHARACTERS = 80;

function shortened(command: string): string {
  const characters = Array.from(command);
  if (characters.length <= DESCRIBED_CHARACTERS) return command;
  return `${characters.slice(0, DESCRIBED_CHARACTERS - 1).join('')}…`;
}

/** The kernel takes more; no process that we start needs it. */
const ENVIRONMENT_BYTES = 4 * 1024 * 1024;

function readEnvironment(pid: number): Map<string, string> {
  const variables = new Map<string, string>();
  for (const variable of readEnvironmentText(pid).split('\0')) {
    const at = variable.indexOf('=');
    // The first of a name counts, as for getenv().
    const name = variable.slice(0, at);
    if (name.startsWith('FAILOVER_') && !variables.has(name)) {
      variables.set(name, variable.slice(at + 1));
    }
  }
  return variables;
}

/**
 * Empty also if it can't be read. In the middle of exec() a process has neither its environment nor its
 * arguments yet: where both are missing it is looked at again.
 */
function readEnvironmentText(pid: number): string {
  let settled = 0;
  for (let look = 1; look <= EXEC_LOOKS && settled < SETTLED_LOOKS; look += 1) {
    let text: string;
    try {
      text = readFileSync(`/proc/${String(pid)}/environ`, 'utf8').slice(0, ENVIRONMENT_BYTES);
      // A process that has ended has no program, nor has a thread of the kernel.
      if (text === '') readlinkSync(`/proc/${String(pid)}/exe`);
    } catch (error) {
      if (isOutOfResources(error)) throw error;
      return '';
    }
    if (text !== '') return text;
    if (readBounded(`/proc/${String(pid)}/cmdline`, 1) !== '') settled += 1;
    else Atomics.wait(EXEC_PAUSE, 0, 0, EXEC_PAUSE_MS);
  }
  return '';
}

/** The kernel is done with it within microseconds, unless the process has to wait for the CPU. */
const EXEC_LOOKS = 20;
/** How often it is looked at: the process may have come to its arguments between two reads. */
const SETTLED_LOOKS = 3;
const EXEC_PAUSE_MS = 1;
const EXEC_PAUSE = new Int32Array(new SharedArrayBuffer(4));

/**
 * A path means what it names to that process: one directory may have two names, and in a container the same
 * name may be another one, in which there is another group. Elsewhere the text counts.
 */
function isOurs(
  theirs: { readonly pid: number; readonly stateDir: string },
  ours: GroupMark,
): boolean {
  const seen = `/proc/${String(theirs.pid)}/root/${theirs.stateDir}`;
  const [there, here] = [seen, ours.stateDir].map(statOrNull);
  if (there && there.dev === here?.dev && there.ino === here.ino) return true;
  return theirs.stateDir === ours.stateDir && statOrNull(`${seen}/${ours.group}/epochs`) === null;
}

function statOrNull(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true });
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return null;
  }
}

function readBounded(path: string, bytes: number): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, bytes, 0));
  } catch {
    return '';
  } finally {
    closeSync(fd);
  }
}
