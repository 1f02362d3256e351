// A workload in a directory of its own, what it reported, and the end of all that it started.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readStat } from '../../src/fence/process-identity.ts';
import { KernelLock } from '../../src/lease/file/kernel-lock.ts';
import type { SessionRecord } from '../../src/lease/lease-store.ts';
import type { WorkloadEnd } from '../../src/runtime/ports.ts';
import { createWorkload } from '../../src/workload/create-workload.ts';
import { probeDeathSignal } from '../../src/workload/death-signal.ts';
import type {
  SupervisedWorkload,
  WorkloadOptions,
} from '../../src/workload/supervised-workload.ts';
import { livingMembers } from '../../src/workload/living-members.ts';
import { signal } from './process-list.ts';
import { textOf } from './text-of.ts';
import { until } from './until.ts';

export { textOf } from './text-of.ts';

export const TERM = { epoch: 7, previous: 'b', reason: 'a test' };

/** A directory with the lock file in it, removed after the test. */
export function workloadDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'failover-workload-'));
  writeFileSync(join(directory, 'workload.lock'), '');
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

export interface WorkloadUnderTest {
  readonly workload: SupervisedWorkload;
  readonly directory: string;
  readonly lock: KernelLock;
  /** What the listener heard, in order. */
  readonly heard: string[];
  readonly ends: WorkloadEnd[];
  readonly warnings: string[];
  /** Each list that was written to the ledger. */
  readonly ledger: (readonly SessionRecord[])[];
  /** A path in the directory. */
  readonly path: (name: string) => string;
  /** The text of a file of the directory, '' while there is none. */
  readonly text: (name: string) => string;
}

/** Makes a workload of a shell script, which finds the directory in `$D`. */
export async function workloadOf(
  command: string | readonly string[],
  options: Partial<WorkloadOptions> & { readonly standby?: 'cold' | 'armed' | 'hot' } = {},
): Promise<WorkloadUnderTest> {
  const directory = workloadDirectory();
  const lock = new KernelLock(join(directory, 'workload.lock'));
  const heard: string[] = [];
  const ends: WorkloadEnd[] = [];
  const warnings: string[] = [];
  const ledger: (readonly SessionRecord[])[] = [];
  const workload = createWorkload(options.standby ?? 'cold', {
    command: typeof command === 'string' ? ['sh', '-c', `D='${directory}'\n${command}`] : command,
    orphan: 'stop',
    promoteCommand: null,
    demoteCommand: null,
    promoteSignal: null,
    demoteSignal: null,
    readyWhen: null,
    context: { group: 'web', node: 'a', stateDir: directory, roleFile: join(directory, 'role') },
    deathSignal: await probeDeathSignal(),
    lock,
    ledger: { setSessions: (sessions) => ledger.push(sessions) },
    listener: {
      ready: () => heard.push('ready'),
      ended: (end) => {
        heard.push('ended');
        ends.push(end);
      },
      disarmed: (detail) => heard.push(`disarmed: ${detail}`),
    },
    warn: (message) => warnings.push(message),
    ...options,
  });
  onTestFinished(() => workload.stop(0));
  const path = (name: string): string => join(directory, name);
  const text = (name: string): string => textOf(path(name));
  return { workload, directory, lock, heard, ends, warnings, ledger, path, text };
}

/** The pid that a script wrote into a file of the directory, once the whole line is there. */
export function pidFrom(path: string): Promise<number> {
  return until(`a pid in ${path}`, () => {
    const text = textOf(path);
    return text.endsWith('\n') && Number(text);
  });
}

/** Whether a process is there and no zombie. */
export function lives(pid: number): boolean {
  const state = readStat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

interface SupervisorMessage {
  readonly event: string;
  readonly pid?: number | null;
  readonly exitCode?: number | null;
  readonly peakKiB?: number;
  readonly sessions?: readonly SessionRecord[];
}

export interface SupervisorProcess {
  readonly child: ChildProcess;
  readonly directory: string;
  send(request: 'arm' | 'activate' | 'stop' | 'hook' | 'exit'): void;
  message(event: string, limitMs?: number): Promise<SupervisorMessage>;
  /** SIGKILL, and its end awaited. */
  kill(): Promise<void>;
  /** Asks for something and waits until it is done. */
  ask(request: 'arm' | 'activate' | 'stop'): Promise<SupervisorMessage>;
  path(name: string): string;
}

/** A supervisor in a process of its own. It and what it recorded are ended after the test. */
export async function superviseIn(
  directory: string,
  setup: {
    readonly script: string;
    readonly standby?: 'cold' | 'armed' | 'hot';
    readonly orphan?: 'stop' | 'kill' | 'keep';
    readonly promoteCommand?: string;
    readonly log?: string;
    readonly holdsBack?: boolean;
  },
): Promise<SupervisorProcess> {
  const argument = JSON.stringify({
    directory,
    command: ['sh', '-c', `D='${directory}'\n${setup.script}`],
    standby: setup.standby ?? 'cold',
    orphan: setup.orphan ?? 'stop',
    promoteCommand: setup.promoteCommand ?? null,
    log: setup.log ?? null,
    holdsBack: setup.holdsBack ?? false,
  });
  const script = join(import.meta.dirname, 'workload-supervisor.js');
  const child = fork(script, [argument], { silent: true });
  const messages: SupervisorMessage[] = [];
  // Only the fixture writes here.
  child.on('message', (message) => messages.push(message as SupervisorMessage));
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const message = (event: string, limitMs?: number): Promise<SupervisorMessage> =>
    until(`${event} (${stderr})`, () => messages.find((each) => each.event === event), limitMs);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await until('the end of the supervisor', () => child.exitCode ?? child.signalCode);
  };
  onTestFinished(async () => {
    await kill();
    endRecorded(directory);
  });
  await message('up');
  const send = (request: string): boolean => child.send(request);
  const ask = (request: string): Promise<SupervisorMessage> => {
    send(request);
    return message(`done ${request}`);
  };
  return { child, directory, send, message, kill, ask, path: (name) => join(directory, name) };
}

/** Kills what lives in the sessions that a dead supervisor left in its ledger. */
function endRecorded(directory: string): void {
  const text = textOf(join(directory, 'sessions.json'));
  // Only the fixture's ledger writes here.
  const sessions = JSON.parse(text === '' ? '[]' : text) as SessionRecord[];
  for (const { pid } of livingMembers(sessions)) signal(pid, 'SIGKILL');
}
