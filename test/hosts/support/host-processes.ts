// The processes of one host, as they are seen from outside: by the namespace that they are in, and by what they run.
import { readlinkSync } from 'node:fs';
import { hasEnded, readStat } from '../../../src/fence/process-identity.ts';
import { isTakenDown, markedProcesses, signal } from '../../support/process-list.ts';
import type { MarkedProcess } from '../../support/process-list.ts';

/** What a host is found by: the mark of all that a test started, and the process that made its namespaces. */
export interface HostProcess {
  readonly mark: string;
  readonly maker: number;
}

/** All that runs there; those that are being taken down run nothing. */
function processesOn({ mark, maker }: HostProcess): readonly MarkedProcess[] {
  const marked = markedProcesses(mark);
  const first = marked.find(({ pid }) => readStat(pid)?.parent === maker);
  const namespace = first === undefined ? null : namespaceOf(first.pid);
  if (namespace === null || namespace === namespaceOf(process.pid)) return [];
  return marked.filter(({ pid }) => namespaceOf(pid) === namespace && !isTakenDown(pid));
}

export function workloadOn(host: HostProcess, program: string): number | null {
  const found = processesOn(host).find(({ command }) => command.startsWith(program));
  return found?.pid ?? null;
}

/** The first process there has its words, too. */
export function supervisorOn(host: HostProcess): number | null {
  const found = processesOn(host).find(
    ({ command }) => !/^(?:\S*\/)?sh /.test(command) && command.includes(' --node '),
  );
  return found?.pid ?? null;
}

/** Stops all that does not stand still; false: nothing was left to stop. */
export function stopAllOn(host: HostProcess): boolean {
  const running = processesOn(host).filter(({ pid }) => !isStopped(pid));
  for (const { pid } of running) signal(pid, 'SIGSTOP');
  return running.length > 0;
}

/** The youngest first: what a guard watches over goes on before the guard. Gives the moment, monotonic, ns. */
export function continueAllOn(host: HostProcess): bigint {
  const pids = processesOn(host).map(({ pid }) => pid);
  const at = process.hrtime.bigint();
  for (const pid of pids.toSorted((one, other) => other - one)) signal(pid, 'SIGCONT');
  return at;
}

/** Kills what is there; false: there was nothing left. */
export function killAllOn(host: HostProcess): boolean {
  const left = processesOn(host);
  for (const { pid } of left) signal(pid, 'SIGKILL');
  return left.length > 0;
}

function isStopped(pid: number): boolean {
  const stat = readStat(pid);
  return stat === null || stat.state === 'T' || hasEnded(stat);
}

function namespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${String(pid)}/ns/pid`);
  } catch {
    return null;
  }
}
