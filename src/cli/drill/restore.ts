// Brings a lost node back by the user's own command.
import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import type { ClientOptions } from '../../config/load.ts';

export interface RestartOutcome {
  /** How the command ended otherwise than well; null: well, or it goes on running. */
  failure: string | null;
}

/**
 * Runs the command by `sh -c` with the group and the lost node's id in its environment. It may be the
 * node itself: it gets a session of its own, none of our descriptors, and is never waited for.
 */
export function startRestart(
  command: string,
  { node, group, stateDir }: ClientOptions & { readonly node: string },
): RestartOutcome {
  const outcome: RestartOutcome = { failure: null };
  const child = spawn('sh', ['-c', command], {
    detached: true,
    stdio: 'ignore',
    env: {
      ...process.env,
      FAILOVER_GROUP: group,
      FAILOVER_NODE: node,
      ...(stateDir === null ? {} : { FAILOVER_STATE_DIR: stateDir }),
    },
  });
  child.once('error', (error) => {
    outcome.failure = error.message;
  });
  child.once('exit', (code, signal) => {
    if (code !== 0) outcome.failure = signal ?? `exit code ${String(code)}`;
  });
  child.unref();
  return outcome;
}

/** Looks every 50 ms until it is so, the time is over or the drill is interrupted; true: it is so. */
export async function until(
  look: () => Promise<boolean>,
  { limitMs, signal }: { readonly limitMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const untilMs = performance.now() + limitMs;
  while (!signal.aborted) {
    if (await look()) return true;
    if (performance.now() >= untilMs) return false;
    // An abort ends the pause, and then the loop.
    await wait(LOOK_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

const LOOK_INTERVAL_MS = 50;
