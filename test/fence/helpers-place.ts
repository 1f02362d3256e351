// A workload lock and processes that have it open or not, each in a session and with an environment of its own.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { HelperSources } from '../../src/fence/run-helpers.ts';
import { identityOfPath } from '../../src/lease/file/file-identity.ts';

export interface Place extends HelperSources {
  readonly lockPath: string;
  /** Starts what sleeps, in a session of its own. */
  readonly start: (how?: {
    readonly node?: string;
    readonly group?: string;
    readonly opens?: boolean;
    readonly script?: string;
    readonly run?: string;
  }) => Promise<ChildProcess>;
}

export function place(): Place {
  const stateDir = mkdtempSync(join(tmpdir(), 'failover-helpers-'));
  const lockPath = join(stateDir, 'workload.lock');
  writeFileSync(lockPath, '');
  onTestFinished(() => {
    rmSync(stateDir, { recursive: true, force: true });
  });
  const start: Place['start'] = async ({
    node = 'a',
    group = 'web',
    opens = true,
    script,
    run = 'r1',
  } = {}) => {
    const fd = openSync(opens ? lockPath : '/dev/null', 'r+');
    const child = spawn('sh', ['-c', `${script ?? ''} echo up; while :; do sleep 0.02; done`], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore', fd],
      env: {
        ...process.env,
        FAILOVER_GROUP: group,
        FAILOVER_STATE_DIR: stateDir,
        FAILOVER_NODE: node,
        FAILOVER_ROLE_FILE: `role-${run}.json`,
      },
    });
    closeSync(fd);
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return child;
  };
  const lockFiles = new Set([identityOfPath(lockPath) ?? '']);
  return { group: 'web', stateDir, node: 'a', lockPath, lockFiles, listNodes: () => [], start };
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
