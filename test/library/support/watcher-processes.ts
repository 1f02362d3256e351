// Watchers as processes of their own, from the built package; what is left of them ends with the test.
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { WatcherOptions } from '../../../src/library/watcher-options.ts';
import { until } from '../../support/until.ts';
import { FAST } from './watchers.ts';
import type { Place } from './watchers.ts';

interface Said {
  readonly event: 'started' | 'role' | 'promote' | 'warning';
  readonly epoch?: number;
  readonly role?: string;
  readonly warning?: string;
}

export interface WatcherProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly said: Said[];
  /** The epochs of its promotions. */
  promotions(): number[];
  /** Its role as it last said. */
  role(): string;
  /** Resolves when it has ended, with its exit code. */
  ended(): Promise<number | null>;
}

const SCRIPT = join(import.meta.dirname, '..', '..', 'support', 'watcher-process.js');

/** Starts one; resolves once it takes part, a primary once it leads. */
export async function startProcess(
  kind: 'primary' | 'secondary',
  at: Place,
  options: Omit<WatcherOptions, 'promote' | 'demote' | 'signal' | 'bus' | 'probePrimary'> = {},
): Promise<WatcherProcess> {
  const argument = JSON.stringify({ kind, ...FAST, ...at, ...options });
  const child = spawn(process.execPath, [SCRIPT, argument]);
  const said: Said[] = [];
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  // Only the script writes here, one object a line.
  createInterface(child.stdout).on('line', (line) => said.push(JSON.parse(line) as Said));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const ended = async (): Promise<number | null> => {
    await until('the end of the process', hasEnded);
    return child.exitCode;
  };
  onTestFinished(async () => {
    if (!hasEnded()) child.kill('SIGKILL');
    await ended();
  });
  await until('the start of the process', () => {
    if (hasEnded()) throw new Error(`the process ended: ${errors}`);
    return said.some(({ event }) => event === 'started');
  });
  return {
    child,
    said,
    promotions: () =>
      said.flatMap(({ event, epoch }) =>
        event === 'promote' && epoch !== undefined ? [epoch] : [],
      ),
    role: () => said.findLast(({ event }) => event === 'role')?.role ?? 'secondary',
    ended,
  };
}
