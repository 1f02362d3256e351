// What the system lets a node do to processes, and tell of them.
import { spawn } from 'node:child_process';
import { hidesProcesses } from '../../../fence/hidden-processes.ts';
import { readStat } from '../../../fence/process-identity.ts';
import { readCpuPressure, readSchedulingTimes } from '../../../fence/process-view.ts';
import { tryDeathSignal } from '../../../workload/death-signal.ts';
import { failure, ok, warning } from '../check.ts';
import type { Check, Finding } from '../check.ts';
import { livingNodes } from '../../client.ts';
import type { Place } from '../place.ts';

export const PROCESS_CHECKS: readonly Check[] = [
  {
    id: 'proc',
    question: 'Does /proc show all processes?',
    run: () => judgeProc(readStat(process.pid) !== null, hidesProcesses()),
  },
  {
    id: 'signals',
    question: "Can a process be stopped and killed, and can the group's processes be signalled?",
    run: signalSome,
  },
  {
    id: 'death-signal',
    question: 'Can a command be signalled the moment its supervisor dies?',
    run: async () => judgeDeathSignal(await tryDeathSignal()),
  },
  {
    id: 'cpu-pressure',
    question: 'Does the kernel report how starved this machine is?',
    run: () => judgePressure(readCpuPressure(), readSchedulingTimes(process.pid) !== null),
  },
];

/** Exported for its tests. */
export function judgeProc(isReadable: boolean, hides: boolean): Finding {
  if (!isReadable) {
    return failure(
      '/proc cannot be read: processes left by a lost node are not found',
      'Mount it with `mount -t proc proc /proc`.',
    );
  }
  if (!hides) return ok('/proc shows the processes of all users');
  return warning(
    '/proc hides the processes of other users (hidepid): what a command starts with sudo is only partly visible',
    'Mount /proc with gid= and hidepid= for a group of this user, or run the node as root.',
  );
}

async function signalSome({ look }: Place): Promise<Finding> {
  const problem = await signalChild();
  if (problem !== null) {
    return failure(
      problem,
      'Allow this user to signal its own processes: check seccomp and LSM profiles.',
    );
  }
  const foreign = livingNodes(await look()).filter(({ record }) => {
    return !maySignal(record.supervisor.pid);
  });
  if (foreign.length === 0)
    return ok('Processes of this user can be stopped, continued and killed');
  const names = foreign.map(({ record }) => `${record.node} (pid ${record.supervisor.pid})`);
  return failure(
    `This user may not signal ${names.join(', ')} of the group: it could not be fenced`,
    'Run all nodes of a group as one user.',
  );
}

/** What went wrong; null: nothing. */
async function signalChild(): Promise<string | null> {
  const child = spawn('sh', ['-c', 'read line'], { stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = new Promise<string | null>((resolve) => {
    child.on('error', ({ message }) => {
      resolve(`No child could be started: ${message}`);
    });
    child.on('close', (_, signal) => {
      resolve(signal === 'SIGKILL' ? null : 'A child could not be ended by SIGKILL');
    });
  });
  const canStop = child.kill('SIGSTOP') && child.kill('SIGCONT');
  child.kill('SIGKILL');
  child.stdin.destroy();
  return (await ended) ?? (canStop ? null : 'A child could not be stopped and continued');
}

function maySignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EPERM');
  }
}

/** Exported for its tests. */
export function judgeDeathSignal(works: boolean): Finding {
  if (works)
    return ok('A command is signalled the moment its supervisor dies (setpriv --pdeathsig)');
  return warning(
    'A command is not signalled when its supervisor dies: the next primary finds it and stops it',
    'Install `setpriv`, which is part of util-linux.',
  );
}

/** Exported for its tests. */
export function judgePressure(share: number | null, isAccounted: boolean): Finding {
  if (share === null) {
    const rest = isAccounted
      ? 'only how long a process itself waits for the CPU is'
      : 'nothing else is';
    return warning(
      `/proc/pressure/cpu is not there: how starved the machine is, is not reported, ${rest}`,
      'Boot the kernel with psi=1, so that a starved primary is not mistaken for a hung one.',
    );
  }
  const percent = `${String(Math.round(share * 100))} %`;
  const fact = `Tasks waited for the CPU in ${percent} of the last 10 s`;
  if (share < HIGH_PRESSURE) return ok(fact);
  return warning(fact, 'Reduce the load on the machine, or raise --heartbeat-timeout.');
}

const HIGH_PRESSURE = 0.5;
