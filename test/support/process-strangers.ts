// Programs that are none of ours, and that no node may signal.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Group } from './process-group.ts';
import { MARK } from './process-list.ts';

export interface ForeignHolder {
  readonly pid: number;
  readonly end: () => void;
}

/** A process that is none of ours with the kernel lock on a file of the group. */
export async function holdLock(group: Group, name: string): Promise<ForeignHolder> {
  const script = join(import.meta.dirname, 'process-lock-holder.js');
  const child = spawn(process.execPath, [script, join(group.groupDir, name)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], [MARK]: group.mark },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await group.until('the foreign lock', () => output === 'held\n');
  return {
    pid: child.pid ?? -1,
    end: () => {
      child.stdin.end();
    },
  };
}

/** The first process of a session that is none of ours; it writes down each signal that it gets. */
export async function startStranger(group: Group): Promise<{ readonly pid: number }> {
  const told = ['TERM', 'CONT', 'HUP', 'INT'].map(
    (name) => `trap 'echo ${name} >> stranger' ${name}`,
  );
  const script = `${told.join('; ')}; trap 'echo asked >> stranger' WINCH
    echo ready >> stranger; while :; do sleep 0.02; done`;
  const child = spawn('sh', ['-c', script], {
    cwd: group.directory,
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], [MARK]: group.mark },
  });
  await group.until('the stranger', () => group.text('stranger') === 'ready\n');
  return { pid: child.pid ?? -1 };
}
