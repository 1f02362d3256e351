// The group's directory of an earlier time is put back, beside a primary that goes by what came after it.
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';

/** No lock tells that it runs, nor does SIGTERM end it. */
const HIDDEN = 'exec 3>&-; exec "$W" --ignore-term';

/** What puts the directory of an earlier time back; the workload of the primary has changed since. */
type PutBack = (group: Group, primary: NodeProcess) => Promise<() => void>;

const WAYS: readonly (readonly [how: string, prepare: PutBack])[] = [
  [
    'was moved away, and comes back as the later one is moved away',
    async (group, primary) => {
      renameSync(group.groupDir, earlier(group));
      await group.active(2);
      await group.reaches(primary, 'serving', 2);
      return () => {
        renameSync(group.groupDir, `${group.groupDir}-second`);
        renameBack(group);
      };
    },
  ],
  [
    'was copied, and the copy comes back as the later one is removed',
    async (group, primary) => {
      copy(group);
      await restart(group, primary);
      return () => {
        removeAndRenameBack(group);
      };
    },
  ],
  [
    'was copied, and the copy comes back as the later one is moved away',
    async (group, primary) => {
      copy(group);
      await restart(group, primary);
      return () => {
        renameSync(group.groupDir, `${group.groupDir}-second`);
        renameBack(group);
      };
    },
  ],
];

function earlier(group: Group): string {
  return `${group.groupDir}-first`;
}

function copy(group: Group): void {
  cpSync(group.groupDir, earlier(group), { recursive: true, preserveTimestamps: true });
}

function renameBack(group: Group): void {
  renameSync(earlier(group), group.groupDir);
  rmSync(join(group.groupDir, 'primary.lock.lock'), { recursive: true, force: true });
}

/** Again where a node has made its directory anew in between. */
function removeAndRenameBack(group: Group): void {
  for (let attempt = 1; ; attempt += 1) {
    group.remove(group.groupDir);
    try {
      renameBack(group);
      return;
    } catch (error) {
      if (attempt === 100) throw error;
    }
  }
}

describe.each(WAYS)('a directory that %s', (_how, prepare) => {
  it('does not let anybody start beside a stopped primary', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], { run: HIDDEN });
      await group.active(1);
      const putBack = await prepare(group, a);
      const second = await group.active(2);
      await group.reaches(b, 'watching');
      a.kill('SIGSTOP');
      putBack();
      const d = await group.start('d', { run: HIDDEN });
      await waits(group, d);
      await waits(group, b);
      await group.hasStarted(2);
      a.kill('SIGCONT');
      expect((await group.active(3)).epoch).toBeGreaterThan(second.epoch);
    }));

  it('does not let a newcomer start beside what a killed primary has left', () =>
    inGroup(async (group) => {
      const options = { orphan: 'keep' };
      const [a] = await group.startAll(['a'], { run: HIDDEN, options });
      await group.active(1);
      const putBack = await prepare(group, a);
      const second = await group.active(2);
      a.kill('SIGSTOP');
      putBack();
      const d = await group.start('d', { run: HIDDEN });
      await waits(group, d);
      a.kill('SIGKILL');
      await group.ends(a);
      await group.until('what runs to be named', () =>
        d.log.some((line) => JSON.stringify(line).includes(`pid ${String(second.pid)} `)),
      );
      await group.hasStarted(2);
      process.kill(second.pid, 'SIGKILL');
      expect((await group.active(3)).epoch).toBeGreaterThan(second.epoch);
    }));

  it('does not let a newcomer start beside what is all that is left of the time after it', () =>
    inGroup(async (group) => {
      const options = { orphan: 'keep' };
      const [a] = await group.startAll(['a'], { run: HIDDEN, options });
      await group.active(1);
      const putBack = await prepare(group, a);
      const second = await group.active(2);
      a.kill('SIGSTOP');
      putBack();
      a.kill('SIGKILL');
      await group.ends(a);
      const d = await group.start('d', { run: HIDDEN });
      await waits(group, d);
      await group.hasStarted(2);
      process.kill(second.pid, 'SIGKILL');
      await group.active(3);
      await group.reaches(d, 'serving');
    }));
});

/** Until it can not start for what it has found. */
async function waits(group: Group, node: NodeProcess): Promise<void> {
  await group.until('it to wait', () => {
    group.judge();
    return node.phase === 'clearing' || node.phase === 'waiting';
  });
  await group.until('it to say why', () =>
    [...node.warnings, ...node.transitions.map(({ reason }) => reason ?? '')].some(
      (text) => text.includes('no node starts until') || text.includes('its environment names'),
    ),
  );
}

async function restart(group: Group, primary: NodeProcess): Promise<void> {
  process.kill((await group.active(1)).pid, 'SIGKILL');
  await group.active(2);
  await group.reaches(primary, 'serving', 2);
}
