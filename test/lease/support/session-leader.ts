// A process with a session of its own, for tests of what is on record of sessions.
import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { readIdentity } from '../../../src/fence/process-identity.ts';
import type { ProcessIdentity } from '../../../src/lease/lease-store.ts';

/** The one process of a session; it ends with the test. */
export function startLeader(): ProcessIdentity {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const leader = readIdentity(child.pid ?? 0);
  if (leader === null) throw new Error('the child is gone');
  return leader;
}
