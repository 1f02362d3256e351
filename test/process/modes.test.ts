// What becomes of orphans and of ended workloads: `--orphan`, `--restart`, `--exit-on-demote`.
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { signal } from '../support/process-list.ts';
import { CALM } from '../support/process-steps.ts';

describe('the orphan of a killed supervisor', () => {
  it('ends by itself under --orphan stop, with the time it needs', () =>
    inGroup(async (group) => {
      const a = await group.start('a', { run: 'exec "$W" --stop-ms 100' });
      await group.active(1);
      a.kill('SIGKILL');
      await group.until('its graceful exit', () => group.lines.some(({ what }) => what === 'end'));
    }));

  it('is killed at once under --orphan kill', () =>
    inGroup(
      async (group) => {
        const a = await group.start('a', { run: 'exec "$W" --stop-ms 5000' });
        const { pid } = await group.active(1);
        a.kill('SIGKILL');
        await group.until('its end', () => !group.lives(pid));
        expect(group.lines.map(({ what }) => what)).toStrictEqual(['start']);
      },
      { options: { orphan: 'kill' } },
    ));

  it('is kept under --orphan keep: nobody starts until it ends, and the secondary says who it is', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        const { pid } = await group.active(1);
        a.kill('SIGKILL');
        await group.until('the warning', () => b.warnings.join().includes(`pid ${pid}`));
        await group.until('some looks', () => b.phase === 'clearing');
        expect([group.lives(pid), group.starts]).toStrictEqual([true, 1]);
        signal(pid, 'SIGTERM');
        await group.reaches(b, 'serving');
        await group.active(2);
      },
      { options: { orphan: 'keep' } },
    ));

  it('is kept under --orphan keep also when it has closed the lock', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b'], { run: 'exec 3>&-; exec "$W"' });
        const { pid } = await group.active(1);
        a.kill('SIGKILL');
        await group.until('the warning', () => b.warnings.join().includes(`pid ${pid}`));
        expect([group.lives(pid), group.starts]).toStrictEqual([true, 1]);
        signal(pid, 'SIGTERM');
        await group.reaches(b, 'serving');
      },
      { options: { orphan: 'keep' } },
    ));
});

/** Ends by itself once the test says that the work is done. */
const WORKS_UNTIL_DONE = '"$W" & until [ -e done ]; do sleep 0.02; done; kill $!; wait $!';

describe('--restart', () => {
  it('never: the node ends with the code of its workload, and another serves', () =>
    inGroup(
      async (group) => {
        const a = await group.start('a', { run: `${WORKS_UNTIL_DONE}; exit 42` });
        await group.reaches(a, 'serving');
        const b = await group.start('b');
        writeFileSync(group.path('done'), '');
        expect(await group.ends(a)).toBe(42);
        await group.reaches(b, 'serving');
        await group.active(2);
      },
      { options: { restart: 'never' } },
    ));

  it('never: a workload that died of a signal gives 128 and its number', () =>
    inGroup(
      async (group) => {
        const a = await group.start('a');
        signal((await group.active(1)).pid, 'SIGKILL');
        expect(await group.ends(a)).toBe(137);
      },
      { options: { restart: 'never' } },
    ));

  it('on-failure: exit 0 completes the work, and every node ends with 0', () =>
    inGroup(
      async (group) => {
        const a = await group.start('a', { run: WORKS_UNTIL_DONE });
        await group.reaches(a, 'serving');
        const b = await group.start('b');
        const c = await group.start('c');
        for (const node of [b, c]) await group.reaches(node, 'watching');
        writeFileSync(group.path('done'), '');
        expect([await group.ends(a), await group.ends(b), await group.ends(c)]).toStrictEqual([
          0, 0, 0,
        ]);
        await group.hasStarted(1);
      },
      { options: { restart: 'on-failure' } },
    ));

  it('on-failure: another exit code is a failure, and starts it again', () =>
    inGroup(
      async (group) => {
        const run =
          '[ -e again ] && exec "$W"; touch again; exec "$W" --exit-after-ms 50 --exit-code 1';
        const a = await group.start('a', { run });
        expect((await group.active(2)).epoch).toBe(2);
        await group.reaches(a, 'serving', 2);
      },
      { options: { restart: 'on-failure' } },
    ));
});

describe('--exit-on-demote', () => {
  it('ends a node with 6 that was demoted', () =>
    inGroup(async (group) => {
      const a = await group.start('a', { env: { FAILOVER_EXIT_ON_DEMOTE: 'true' } });
      await group.reaches(a, 'serving');
      const b = await group.start('b');
      await group.reaches(b, 'watching');
      expect((await group.client('promote', 'b')).code).toBe(0);
      expect(await group.ends(a)).toBe(6);
    }, CALM));
});

describe('--role', () => {
  it('primary: ends with 4 while another leads', () =>
    inGroup(async (group) => {
      await group.startAll(['a']);
      const b = group.launch('b', { options: { role: 'primary' } });
      expect(await group.ends(b)).toBe(4);
      expect(b.stray).toContain('Cannot be primary: the lease is held by a');
      expect(b.stray).toContain('--role auto');
    }));

  it('secondary: listens first, then leads where nobody does', () =>
    inGroup(async (group) => {
      const a = await group.start('a', { options: { role: 'secondary' } });
      await group.reaches(a, 'serving');
    }));
});

describe('--node', () => {
  it('that lives already is refused with 4', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      const twin = group.launch('a');
      expect(await group.ends(twin)).toBe(4);
      expect(twin.stray).not.toBe('');
      expect(a.phase).toBe('serving');
    }));

  it('that was killed can be taken again', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      await group.active(1);
      a.kill('SIGKILL');
      await group.ends(a);
      await group.startAll(['a']);
      expect((await group.active(2)).epoch).toBe(2);
    }));
});
