// Nodes whose lease is in files that machines share. Each has a state directory of its own, as if it were on a machine
// of its own: nothing but the shared one and the guard keeps two from being active.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GroupStatus } from '../../src/cli/group-status.ts';
import { readEvents } from '../../src/lease/timed-file/event-log.ts';
import { timedPaths } from '../../src/lease/timed-file/timed-paths.ts';
import { ledBefore } from '../contracts/support/shared-directory.ts';
import { ANOTHER_USER, mayBeAnotherUser } from '../support/another-user.ts';
import { inGroup } from '../support/process-group.ts';
import { nodesWithLease } from './store-nodes.ts';
import type { NodesServer } from './store-nodes.ts';

describe('nodes with a timed lease in files', () => {
  nodesWithLease(() => Promise.resolve(sharedPlaces()));
});

describe('a share that hangs', () => {
  it('keeps no node from ending when it is told to', async () => {
    const places = sharedPlaces();
    onTestFinished(() => places.stop());
    const lease = await places.freshPlace();
    await inGroup(async (group) => {
      const mark = join(lease.slice('file:'.length), '.failover');
      // Nobody writes to it: whoever opens it to read waits for that.
      expect(spawnSync('mkfifo', [mark]).status).toBe(0);
      const times = ['--lease-ttl', '1s', '--lease', lease];
      const a = group.startClient('run', ...times, '--', 'true');
      await group.until('a request that hangs', () => a.stderr.includes('it does not answer'));
      a.kill('SIGTERM');
      await a.done;
      expect(a.end).toBe('SIGKILL');
      expect(a.stderr).toContain('Exited with code 0');
      expect(group.starts).toBe(0);
    });
  });
});

describe('a timed lease in the state directory', () => {
  it.runIf(mayBeAnotherUser)(
    'is asked for by --lease-ttl, found by clients, and known to nodes without it',
    async () => {
      const home = mkdtempSync(join(tmpdir(), 'failover-home-'));
      chmodSync(home, 0o777);
      onTestFinished(() => {
        rmSync(home, { recursive: true, force: true });
      });
      await inGroup(
        async (group) => {
          mkdirSync(group.stateDir);
          chmodSync(group.stateDir, 0o777);
          const a = await group.start('a', { options: { 'lease-ttl': '1s' } });
          await group.reaches(a, 'serving');
          // On a busy machine it may lead no more by then, and soon again.
          const { lease } = await group.until('a to be seen', async () => {
            const { stdout } = await group.client('status', '--json');
            const status = JSON.parse(stdout) as GroupStatus; // our own
            return status.primary === 'a' && status;
          });
          expect(lease.kind).toBe('timed-file');
          const other = group.launch('b');
          expect(await group.ends(other)).toBe(2);
          expect(other.stray).toContain('it already has a lease with a time to live');
        },
        { asUser: ANOTHER_USER, env: { XDG_STATE_HOME: home } },
      );
    },
  );
});

/** A directory for each group; one that is away is no more to be found than that of a share which is not mounted. */
function sharedPlaces(): NodesServer {
  const root = mkdtempSync(join(tmpdir(), 'failover-shared-'));
  let places = 0;
  const place = (): string => join(root, String(places));
  const away = (): string => `${place()}.away`;
  const leave = (): void => {
    renameSync(place(), away());
  };
  const comeBack = (): void => {
    renameSync(away(), place());
  };
  return {
    freshPlace: () => {
      places += 1;
      mkdirSync(place());
      ledBefore(place(), 'g');
      return Promise.resolve(`file:${place()}`);
    },
    noted: async () => {
      const events = await readEvents(timedPaths(place(), 'g').events, () => false);
      return [...events].reverse().map(({ node, action }) => `${node} ${action}`);
    },
    freeze: leave,
    thaw: comeBack,
    end: () => {
      leave();
      return Promise.resolve();
    },
    begin: () => {
      comeBack();
      return Promise.resolve();
    },
    stop: () => {
      rmSync(root, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}
