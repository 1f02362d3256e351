// The processes that a test has started, found by a mark in their environment, whoever their parent is.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readStat } from '../../src/fence/process-identity.ts';

/** The name of the variable: everything that a marked process starts inherits it. */
export const MARK = 'FAILOVER_TEST_MARK';

export interface MarkedProcess {
  readonly pid: number;
  readonly state: string;
  readonly command: string;
}

/** The living processes with this mark; a zombie has no environment any more. */
export function markedProcesses(mark: string): MarkedProcess[] {
  const wanted = `${MARK}=${mark}\0`;
  return allPids().flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${String(pid)}/environ`, 'latin1').includes(wanted)) return [];
      const command = readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1');
      const state = readStat(pid)?.state ?? 'X';
      return [{ pid, state, command: command.replaceAll('\0', ' ').slice(0, 200) }];
    } catch {
      return [];
    }
  });
}

/** Dead children that their parent, one of these, has not waited for. */
export function zombiesOf(parents: readonly number[]): number[] {
  return allPids().filter((pid) => {
    const stat = readStat(pid);
    return stat !== null && stat.state === 'Z' && parents.includes(stat.parent);
  });
}

/** Whether it has been waited for, or never was one. */
export function isNoZombie(pid: number): boolean {
  return readStat(pid)?.state !== 'Z';
}

/** Whether the kernel is taking it down, or has: it has no memory any more, and runs nothing. */
export function isTakenDown(pid: number): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1') === '';
  } catch {
    return true;
  }
}

/** The paths of what a process has open. */
export function openFilesOf(pid: number): readonly string[] {
  const directory = `/proc/${String(pid)}/fd`;
  return readdirSync(directory).flatMap((fd) => {
    try {
      return [readlinkSync(`${directory}/${fd}`)];
    } catch {
      return [];
    }
  });
}

/**
 * The guard of a supervisor: the parent of the workload; one that waits for what comes next has no children. Null:
 * there is none.
 */
export function guardOf(supervisor: number): number | null {
  const parentOf = (pid: number): number => readStat(pid)?.parent ?? 0;
  const guards = allPids().map(parentOf);
  return guards.find((parent) => parentOf(parent) === supervisor) ?? null;
}

/** Signals a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

export function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}
