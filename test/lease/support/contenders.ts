// Starts contenders as processes of their own, from the built package, and ends them with the test.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface Contender {
  readonly child: ChildProcess;
  /** What it has written to its standard error by its end, and how it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
}

export function startContender(
  stateDir: string,
  node: string,
  run: { readonly rounds: number; readonly ending: 'release' | 'hold' },
): Contender {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'contender.js'), stateDir, node, String(run.rounds), run.ending],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, errors }));
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { child, ended };
}

/** Resolves when a contender that holds has said so. */
export async function holding(contender: Contender): Promise<void> {
  const { stdout } = contender.child;
  if (stdout === null) throw new Error('the contender has no output');
  const outcome = await Promise.race([once(stdout, 'data').then(() => null), contender.ended]);
  if (outcome !== null) throw new Error(`the contender ended: ${outcome.errors}`);
}
