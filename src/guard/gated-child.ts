// What a guard starts: a child behind a gate, in a session of its own that ends with the guard.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { gateCommand } from '../workload/gate-script.ts';
import type { SpawnOrder } from './messages.ts';
import { ownPriority } from './priority.ts';

export interface GatedOrder extends Pick<SpawnOrder, 'command' | 'environment' | 'deathSignal'> {
  readonly output?: 'inherit' | 'ignore';
}

/** @param descriptors handed on as 3 and up. @throws what the system says, where that does not come as an event */
export function spawnBehindGate(
  { command, environment, deathSignal, output = 'inherit' }: GatedOrder,
  descriptors: readonly number[],
): ChildProcess {
  const gate = { command, deathSignal: deathSignal ? ('KILL' as const) : null };
  const [file, ...args] = gateCommand(gate, process.pid);
  const child = ownPriority.asGiven(() =>
    spawn(file, args, {
      detached: true,
      env: { ...process.env, ...environment },
      stdio: ['pipe', output, output, ...descriptors],
    }),
  );
  child.stdin?.on('error', () => undefined);
  return child;
}

/**
 * It and what is in its process group, without a look at who is there: that takes long where others have the CPU, and
 * can't be had where no file can be opened.
 */
export function killGroupOf(child: ChildProcess | null): void {
  // The number of the process belongs to nobody else before its end was reported.
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The process is not ours to signal: whoever looks for what is left finds it.
  }
}
