// The ground taken away: state directory, lock files and sockets removed while the nodes run.
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANOTHER_USER, mayBeAnotherUser } from '../support/another-user.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { bindsAnew, CALM, findsTaken } from '../support/process-steps.ts';

const HOT_SIGNALS = { 'promote-signal': 'SIGUSR1', 'demote-signal': 'SIGUSR2' };

describe('the state directory', () => {
  it('removed: the primary steps down, somebody leads again, and the epochs go on', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      const first = await group.active(1);
      group.remove(group.stateDir);
      const second = await group.active(2);
      expect(second.epoch).toBeGreaterThan(first.epoch);
      await group.until('a to say that it stepped down', () => a.timesIn('demoting') === 1);
      await group.primaryOf([a, b]);
    }));

  it('removed under a primary without secondaries: a newcomer waits for the old workload', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a'], { run: 'exec "$W" --ignore-term' });
      await group.active(1);
      a.kill('SIGSTOP');
      group.remove(group.stateDir);
      const b = await group.start('b');
      await findsTaken(group, b);
      await group.hasStarted(1);
      a.kill('SIGCONT');
      await group.primaryOf([a, b]);
      await group.active(2);
    }));

  it('without the lock of a workload that outlived its node: who is waited for is named, with what to do', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a'], { options: { orphan: 'keep' } });
      const { pid } = await group.active(1);
      a.kill('SIGKILL');
      await group.ends(a);
      group.remove(join(group.groupDir, 'workload.lock'));
      const b = await group.start('b');
      const said = `no node starts until pid ${String(pid)} (`;
      const warning = await group.until('the warning', () =>
        b.warnings.find((text) => text.startsWith(said)),
      );
      expect(warning).toContain(`Stop it with \`kill ${String(pid)}\` if it is not needed`);
      expect((await group.client('status')).stdout).toContain(`b: ${said}`);
      expect(b.warnings.filter((text) => text.startsWith(said))).toHaveLength(1);
      await group.reaches(b, 'waiting');
      const lines = b.log.length;
      const first = await uptimeMs(group, 'b');
      await group.until('twenty of its looks at the lease', async () => {
        return (await uptimeMs(group, 'b')) >= first + 2_000;
      });
      expect(b.log.slice(lines)).toEqual([]);
      expect((await group.client('explain', 'b')).stdout).toContain(
        'it checks whether the holders of removed lock files have exited',
      );
      expect((await group.client('status')).stdout).toContain(`b: ${said}`);
      await group.hasStarted(1);
      process.kill(pid, 'SIGTERM');
      await group.active(2);
      await group.primaryOf([b]);
      expect((await group.client('status')).stdout).not.toContain(said);
    }));

  it('moved away and made anew, empty: never two', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      await group.active(1);
      renameSync(group.groupDir, `${group.groupDir}-old`);
      // Unless a node was faster: each makes it anew at its next look.
      mkdirSync(group.groupDir, { recursive: true, mode: 0o700 });
      const c = await group.start('c');
      expect((await group.active(2)).epoch).toBeGreaterThan(1);
      await group.primaryOf([a, b, c]);
    }));

  it('moved away under a stopped primary: the newcomer waits for the workload that runs there', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      await group.active(1);
      a.kill('SIGSTOP');
      renameSync(group.groupDir, `${group.groupDir}-old`);
      const b = await group.start('b');
      await findsTaken(group, b);
      await group.hasStarted(1);
      a.kill('SIGCONT');
      await group.primaryOf([a, b]);
      await group.active(2);
    }));

  it.each([
    ['armed', 'exec "$W"'],
    ['hot', 'exec "$W" --hot'],
  ])(
    'removed under %s nodes: what stands by is started anew, and no promotion fails of it',
    (standby, run) =>
      inGroup(
        async (group) => {
          const ids = ['a', 'b', 'c'] as const;
          const nodes = await group.startAll(ids, { run });
          for (const id of ids) await group.until(`what ${id} runs`, () => hasLockFile(group, id));
          await group.active(1);
          group.removeOnce(group.groupDir);
          await group.active(2);
          const second = await group.primaryOf(nodes);
          for (const node of nodes) {
            if (node !== second) await group.reaches(node, 'watching');
          }
          // The second notices by its own look, while the first leads.
          for (const id of ids) await group.until(`what ${id} runs`, () => hasLockFile(group, id));
          second.kill('SIGKILL');
          await group.active(3);
          await group.primaryOf(nodes.filter((node) => node !== second));
          expect(nodes.map((node) => node.timesIn('unwinding'))).toEqual([0, 0, 0]);
        },
        { options: { standby, ...(standby === 'hot' ? HOT_SIGNALS : {}) } },
      ),
  );

  it('makes way for an earlier one under a stopped primary: the newcomer waits, and goes on above', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      await group.active(1);
      renameSync(group.groupDir, `${group.groupDir}-first`);
      const second = await group.active(2);
      await group.reaches(a, 'serving', 2);
      a.kill('SIGSTOP');
      renameSync(group.groupDir, `${group.groupDir}-second`);
      renameSync(`${group.groupDir}-first`, group.groupDir);
      rmSync(join(group.groupDir, 'primary.lock.lock'), { recursive: true, force: true });
      const d = await group.start('d');
      await group.until('who is waited for to be named', () =>
        d.warnings.some((text) => text.includes('no node starts until')),
      );
      await group.hasStarted(2);
      a.kill('SIGCONT');
      expect((await group.active(3)).epoch).toBeGreaterThan(second.epoch);
    }));

  it('removed again and again: never two', () =>
    inGroup(async (group) => {
      const nodes = await group.startAll(['a', 'b', 'c']);
      for (let round = 1; round <= 4; round += 1) {
        await group.active(round);
        group.remove(group.groupDir);
      }
      await group.active(5);
      await group.primaryOf(nodes);
    }));

  it.each(['primary.lock', 'workload.lock'])(
    'loses %s: the primary steps down, and never two',
    (name) =>
      inGroup(async (group) => {
        const nodes = await group.startAll(['a', 'b']);
        await group.active(1);
        rmSync(join(group.groupDir, name));
        expect((await group.active(2)).epoch).toBeGreaterThan(1);
        await group.primaryOf(nodes);
      }),
  );

  it('loses primary.lock as its holder is killed: what that made is known for a leftover', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      await group.active(1);
      // It can neither step down nor make the file anew.
      a.kill('SIGSTOP');
      rmSync(join(group.groupDir, 'primary.lock'));
      a.kill('SIGKILL');
      await group.active(2);
      await group.reaches(b, 'serving');
      expect(group.files(group.groupDir)).toContain('primary.lock.lock');
      expect(JSON.stringify(b.log)).not.toContain('another program holds');
    }));

  it.each(['primary.lock', 'workload.lock'])(
    'has a pipe in the place of %s: nobody waits for it, and somebody leads again',
    (name) =>
      inGroup(async (group) => {
        const nodes = await group.startAll(['a', 'b']);
        await group.active(1);
        rmSync(join(group.groupDir, name));
        execFileSync('mkfifo', [join(group.groupDir, name)]);
        expect((await group.active(2)).epoch).toBeGreaterThan(1);
        await group.primaryOf(nodes);
        expect((await group.client('status')).code).toBe(0);
      }),
  );

  it.each([
    ['its epochs alone are', ['epochs']],
    ['all of it is', ['']],
    ['its epochs and locks are', ['epochs', 'primary.lock', 'primary.lock.lock', 'workload.lock']],
  ])('when %s removed and only a stopped node is left of before, goes on above', (_, names) =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      const first = await group.active(1);
      b.kill('SIGSTOP');
      // An epoch that the stopped one never saw.
      process.kill(first.pid, 'SIGKILL');
      const second = await group.active(2);
      for (const name of names) group.remove(join(group.groupDir, name));
      a.kill('SIGKILL');
      await group.startAll(['c']);
      expect((await group.active(3)).epoch).toBeGreaterThan(second.epoch);
      b.kill('SIGCONT');
    }),
  );

  it.each([
    ['the records of its nodes are', 'nodes'],
    ['all of it is', ''],
  ])('when %s removed as a supervisor dies, its workload is waited for, and named', (_, name) =>
    inGroup(async (group) => {
      const run = 'exec 3>&-; exec "$W" --ignore-term';
      const [a, b] = await group.startAll(['a', 'b'], { run });
      const { pid } = await group.active(1);
      // It can't put its record back.
      a.kill('SIGSTOP');
      group.remove(join(group.groupDir, name));
      a.kill('SIGKILL');
      const told = 'its environment names this group';
      await group.until('it to be named', () =>
        b.log.some((line) => {
          const text = JSON.stringify(line);
          return text.includes(`pid ${String(pid)} `) && text.includes(told);
        }),
      );
      await group.hasStarted(1);
      process.kill(pid, 'SIGKILL');
      await group.active(2);
      await group.reaches(b, 'serving');
    }),
  );

  it('has an epoch record from the future: the next epoch is above it', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      await group.active(1);
      a.kill('SIGTERM');
      await group.ends(a);
      writeFileSync(join(group.groupDir, 'epochs', '900'), 'not a record');
      await group.startAll(['b']);
      expect((await group.active(2)).epoch).toBe(901);
    }));
});

describe('a record', () => {
  it('that was spoiled is put right: nobody waits for what its node has started', () =>
    inGroup(async (group) => {
      const options = { standby: 'hot', ...HOT_SIGNALS };
      await group.startAll(['a', 'b', 'c'], { options, run: 'exec "$W" --hot' });
      const { run, sessions } = await group.until('the record of c', () =>
        group.records().find(({ node, sessions: { length } }) => node === 'c' && length > 0),
      );
      // An empty file in place of the lock: who leads next can't know who may have left something.
      writeFileSync(join(group.groupDir, 'nodes', `${run}.json`), '{"v":99}');
      writeFileSync(join(group.groupDir, 'fresh'), '', { mode: 0o600 });
      renameSync(join(group.groupDir, 'fresh'), join(group.groupDir, 'primary.lock'));
      await group.active(2);
      const known = group.records().find(({ node }) => node === 'c')?.sessions;
      // It may be the one that leads now.
      expect(known).toEqual(
        sessions.map((one) => ({ ...one, active: expect.any(Boolean) as boolean })),
      );
    }));
});

describe('the sockets', () => {
  it('of a healthy primary removed: it is said, it is not killed, and it binds anew', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      const before = group.socketsOf(a);
      for (const path of before) rmSync(path);
      await bindsAnew(group, a, before);
      const c = await group.start('c');
      await group.reaches(c, 'watching');
      await group.reaches(b, 'watching');
      await group.beats(12);
      expect([a.end, a.phase, group.starts]).toStrictEqual([null, 'serving', 1]);
    }));

  it.runIf(mayBeAnotherUser)('all removed with their directory: nobody is killed', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        const before = group.socketsOf(a);
        rmSync(group.path('run/failover'), { recursive: true });
        await bindsAnew(group, a, before);
        await group.beats(12);
        await group.until('a secondary that follows', () => b.phase === 'watching');
        expect([a.end, a.phase, group.starts]).toStrictEqual([null, 'serving', 1]);
        a.kill('SIGKILL');
        await group.reaches(b, 'serving');
      },
      { asUser: ANOTHER_USER },
    ),
  );
});

it('that work is completed is on record before another could do it again', () =>
  inGroup(
    async (group) => {
      const run =
        'echo run >> "$WITNESS_DIR/runs"; until [ -e "$WITNESS_DIR/go" ]; do sleep 0.05; done';
      const [a, b] = await group.startAll(['a', 'b'], { run });
      await group.until('the run', () => group.text('runs') === 'run\n');
      // No file can take its place.
      const inTheWay = join(group.groupDir, 'marks', 'completed');
      mkdirSync(inTheWay);
      writeFileSync(group.path('go'), '');
      await group.until('word of it in its status', async () => {
        const { stdout } = await group.client('status');
        return stdout.includes('could not be recorded, so the lease is kept');
      });
      expect([a.phase, b.phase]).toEqual(['demoting', 'watching']);
      rmdirSync(inTheWay);
      expect([await group.ends(a), await group.ends(b)]).toEqual([0, 0]);
      expect(group.text('runs')).toBe('run\n');
    },
    { options: { ...CALM.options, restart: 'on-failure' } },
  ));

/** By its own clock. */
async function uptimeMs(group: Group, id: string): Promise<number> {
  const { stdout } = await group.client('status', '--json');
  // Our own program, whose form other tests check.
  const { nodes } = JSON.parse(stdout) as { nodes: readonly { id: string; uptimeMs: number }[] };
  return nodes.find((node) => node.id === id)?.uptimeMs ?? 0;
}

/** Whether something that a node has started has the file open that is the group's lock file now. */
function hasLockFile(group: Group, id: string): boolean {
  const path = join(group.groupDir, 'workload.lock');
  return group.sessionOf(id).some((pid) => {
    try {
      const directory = `/proc/${String(pid)}/fd`;
      return readdirSync(directory).some((fd) => readlinkSync(join(directory, fd)) === path);
    } catch {
      // It has just ended.
      return false;
    }
  });
}
