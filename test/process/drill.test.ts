// The drill on real nodes: it makes its trouble and certifies it, and touches nothing that it must not.
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Certificate } from '../../src/cli/drill/certificate.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { ClientResult } from '../support/process-node.ts';

/** Bounds far above what any of it takes, so that only a fault of ours can break one. */
const GENEROUS = { 'stop-grace': '60s', 'fence-grace': '60s', 'probe-timeout': '2s' };

/** Told by signal; a demotion counts once the witness has written the end of this epoch. */
const HOT = {
  standby: 'hot',
  'promote-signal': 'SIGUSR1',
  'demote-signal': 'SIGUSR2',
  'promote-command': 'echo "$FAILOVER_EPOCH" >> promoted',
  'demote-command':
    'i=0; until grep -q "^end [0-9]* $FAILOVER_EPOCH " witness.log; do i=$((i+1)); [ $i -lt 100 ] || exit 1; sleep 0.01; done',
};

/** Noticed by nobody for as long as a test looks. */
const PATIENT = { 'heartbeat-timeout': '10m', 'probe-interval': '10m' };

function certificateIn({ stdout, stderr }: ClientResult): Certificate {
  if (!stdout.startsWith('{')) throw new Error(`no certificate: ${stdout}${stderr}`);
  // Our own program, whose form other tests check.
  return JSON.parse(stdout) as Certificate;
}

async function drill(group: Group, ...args: readonly string[]): Promise<ClientResult> {
  return group.client('drill', '--json', '--yes', ...args);
}

/** The guards of a drill, and what they have forked: a copy of them until it is something else. */
function guards(group: Group): readonly number[] {
  return group.marked().flatMap(({ pid, command }) => (command.includes("trap ''") ? pid : []));
}

describe('a drill', () => {
  it('of all faults passes, with rising epochs and no overlap', () =>
    inGroup(
      async (group) => {
        await group.startAll(['a', 'b', 'c', 'd']);
        await group.active(1);
        const result = await drill(group, '--starve-time', '1s', '--loops', '3');
        const certificate = certificateIn(result);
        expect([result.code, certificate.verdict, result.stderr]).toEqual([
          0,
          'held',
          expect.any(String),
        ]);
        expect(certificate.faults.map(({ fault, verdict }) => `${fault} ${verdict}`)).toEqual([
          ...['switchover held', 'workload-crash held', 'starve held', 'crash held', 'hang held'],
        ]);
        expect(certificate.epochs).toEqual({
          ...{ before: 1, after: 5, served: [1, 2, 3, 4, 5], strictlyIncreasing: true },
        });
        expect(certificate.sampling.overlaps).toEqual([]);
        expect(certificate.sampling.looks).toBeGreaterThan(10);
        for (const fault of ['switchover', 'workload-crash', 'crash', 'hang'] as const) {
          const entry = certificate.faults.find((one) => one.fault === fault);
          expect(entry?.tookMs?.max).toBeGreaterThan(0);
          expect(entry?.tookMs?.max).toBeLessThan(entry?.bound?.ms ?? 0);
        }
        // What it says is what the witness saw: the start came after the kill, and not much else.
        await group.hasStarted(5);
        expect(group.nodes.filter(({ end }) => end === null)).toHaveLength(2);
        expect(guards(group)).toEqual([]);
      },
      { options: GENEROUS },
    ));

  it('of a hot group passes as well: the workloads are told, and only lost ones start anew', () =>
    inGroup(
      async (group) => {
        const run = 'exec "$W" --hot';
        const nodes = await group.startAll(['a', 'b', 'c', 'd'], { run });
        const first = await group.active(1);
        // The one that leads may have stood by before.
        await group.until(
          'all workloads',
          () => new Set(group.lines.map(({ pid }) => pid)).size === 4,
        );
        const standbys = group.lines.flatMap(({ what, pid }) => (what === 'standby' ? pid : []));
        const result = await drill(group, '--starve-time', '1s', '--loops', '3');
        const { verdict, faults, epochs, sampling } = certificateIn(result);
        expect([result.code, verdict, result.stderr]).toEqual([0, 'held', expect.any(String)]);
        expect(faults.map((one) => `${one.fault} ${one.verdict}`)).toEqual([
          ...['switchover held', 'workload-crash held', 'starve held', 'crash held', 'hang held'],
        ]);
        for (const { fault, rounds, tookMs, bound } of faults) {
          expect(rounds, fault).toHaveLength(1);
          expect(rounds[0]?.problems, fault).toEqual([]);
          if (fault === 'starve') continue;
          expect(tookMs?.max, fault).toBeGreaterThan(0);
          expect(tookMs?.max, fault).toBeLessThan(bound?.ms ?? 0);
        }
        expect([epochs.after, epochs.strictlyIncreasing, group.starts]).toEqual([5, true, 5]);
        expect(sampling.overlaps).toEqual([]);
        // The switchover asked one that stood by: nothing was started for it.
        const second = group.lines.find(({ what, epoch }) => what === 'start' && epoch === 2);
        expect(standbys).toContain(second?.pid);
        expect(second?.pid).not.toBe(first.pid);
        expect(group.text('promoted').trim().split('\n')).toEqual(['1', '2', '3', '4', '5']);
        // What was killed and stopped was the primary's, and nothing of it is left.
        const lost = nodes.filter(({ end }) => end !== null);
        expect(lost.map(({ end }) => end)).toEqual(['SIGKILL', 'SIGKILL']);
        for (const { id } of lost) expect(group.sessionOf(id)).toEqual([]);
        expect(guards(group)).toEqual([]);
      },
      { options: { ...GENEROUS, ...HOT } },
    ));

  it('brings each lost node back by the command that it is given', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        await group.active(1);
        const asked = group.path('asked');
        const running = group.startClient(
          ...['drill', '--json', '--yes', '--faults', 'crash'],
          ...['--restart-command', `echo "$FAILOVER_NODE $FAILOVER_GROUP" > ${asked}`],
        );
        await group.reaches(b, 'serving');
        await group.until('the command', () => group.text('asked') !== '');
        expect(group.text('asked')).toBe('a g\n');
        expect(a.end).toBe('SIGKILL');
        await group.start('a');
        const result = await running.done;
        expect([result.code, certificateIn(result).verdict]).toEqual([0, 'held']);
      },
      { options: GENEROUS },
    ));

  it('keeps what it has seen when Ctrl-C comes while a node is to come back', () =>
    inGroup(
      async (group) => {
        await group.startAll(['a', 'b', 'c']);
        const running = group.startClient(
          ...['drill', '--json', '--yes', '--faults', 'crash,switchover'],
          ...['--restart-command', `echo asked > ${group.path('asked')}`],
        );
        await group.until('the command', () => group.text('asked') !== '');
        running.kill('SIGINT');
        const result = await running.done;
        const { verdict, faults } = certificateIn(result);
        expect([result.code, verdict]).toEqual([130, 'incomplete']);
        expect(faults.map((one) => one.verdict)).toEqual(['held', 'incomplete']);
      },
      { options: GENEROUS },
    ));

  it('reports a node that does not come back, and makes no more trouble', () =>
    inGroup(
      async (group) => {
        await group.startAll(['a', 'b', 'c']);
        const back = ['--restart-command', 'exit 3', '--timeout', '2s'];
        const result = await drill(group, '--faults', 'crash,hang', ...back);
        const { verdict, faults } = certificateIn(result);
        expect([result.code, verdict]).toEqual([8, 'broken']);
        expect(faults[0]?.rounds[0]?.problems.join()).toMatch(/a did not come back.*exit code 3/);
        expect(faults[1]?.rounds).toEqual([]);
      },
      { options: GENEROUS },
    ));

  it('reports a command that outlasts what is allowed, with an exit code of its own', () =>
    inGroup(async (group) => {
      await group.startAll(['a', 'b', 'c'], { run: 'exec "$W" --ignore-term' });
      await group.active(1);
      // It is killed after --stop-grace, which is 2 s: by the settings it may be down for that long.
      const result = await drill(group, '--faults', 'crash', '--within', '500ms');
      const { verdict, faults } = certificateIn(result);
      expect([result.code, verdict]).toEqual([8, 'broken']);
      expect(faults[0]?.rounds[0]?.problems.join()).toContain('longer than the 500 ms allowed');
      for (const node of group.nodes) if (node.end === null) node.kill('SIGTERM');
      for (const node of group.nodes) await group.ends(node);
    }));

  it('reports a promotion that fails, and makes no more trouble: the old primary serves on', () =>
    inGroup(
      async (group) => {
        const [a] = await group.startAll(['a']);
        for (const id of ['b', 'c']) {
          const node = await group.start(id, { options: { 'promote-command': 'exit 1' } });
          await group.reaches(node, 'watching');
        }
        const result = await drill(group, '--faults', 'switchover,crash');
        const { faults, primary, endedBecause } = certificateIn(result);
        expect(result.code).toBe(8);
        expect(faults[0]?.rounds[0]?.problems.join()).toMatch(/^[bc] was not promoted/);
        expect([faults[1]?.verdict, faults[1]?.rounds]).toEqual(['incomplete', []]);
        expect(endedBecause).toContain('no more faults are injected');
        expect([primary, a.end]).toEqual([{ before: 'a', after: 'a' }, null]);
        await group.reaches(a, 'serving', 2);
      },
      { options: GENEROUS },
    ));
});

describe('a yes on a terminal', () => {
  it('is consent', () =>
    inGroup(
      async (group) => {
        await group.startAll(['a', 'b']);
        const asked = group.onTerminal(
          { rows: 40, columns: 120 },
          'drill',
          '--faults',
          'switchover',
        );
        await group.until('the question', () => asked.stdout.includes('[y/N]'));
        asked.type('y\r');
        expect((await asked.done).code).toBe(0);
        expect(asked.stdout).toContain('everything held');
        await group.hasStarted(2);
      },
      { options: GENEROUS },
    ));
});

describe('nothing is touched', () => {
  it('without consent: it says what it would do and ends with 2', () =>
    inGroup(async (group) => {
      await group.startAll(['a', 'b', 'c']);
      const { code, stdout, stderr } = await group.client('drill');
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/switchover +promote .*crash +SIGKILL .*hang +left out.*--yes/s);
      await group.hasStarted(1);
    }));

  it.each([
    ['a no', 'n\r'],
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('after %s on a terminal', (_, keys) =>
    inGroup(async (group) => {
      await group.startAll(['a', 'b']);
      const asked = group.onTerminal({ rows: 40, columns: 120 }, 'drill');
      await group.until('the question', () => asked.stdout.includes('[y/N]'));
      asked.type(keys);
      expect((await asked.done).code).toBe(2);
      await group.hasStarted(1);
    }),
  );

  it('in a group that is paused, or has nobody who would take over', () =>
    inGroup(async (group) => {
      const [, b] = await group.startAll(['a', 'b']);
      await group.client('pause');
      const paused = await drill(group);
      expect([paused.code, paused.stderr]).toEqual([1, expect.stringContaining('is paused')]);
      await group.client('resume');
      b.kill('SIGTERM');
      await group.ends(b);
      const alone = await drill(group);
      expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('no secondary')]);
      expect(alone.stderr).toContain('`failover status --group g --state-dir');
      await group.hasStarted(1);
    }));
});

describe('what was stopped goes on', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 130],
    ['SIGKILL', null],
  ] as const)('when %s ends the drill', (signal, code) =>
    inGroup(
      async (group) => {
        const [a] = await group.startAll(['a', 'b', 'c']);
        await group.active(1);
        const running = group.startClient('drill', '--json', '--yes', '--faults', 'hang');
        await group.until('the stop', () => group.stateOf(a.pid) === 'T');
        expect(guards(group)).not.toEqual([]);
        running.kill(signal);
        const result = await running.done;
        expect(result.code).toBe(code);
        await group.until('a to go on', () => group.stateOf(a.pid) !== 'T');
        await group.until('the end of the guard', () => guards(group).length === 0);
        if (code !== null) {
          const { verdict, interrupted, primary } = certificateIn(result);
          expect([verdict, interrupted, primary.after]).toEqual(['incomplete', true, 'a']);
        }
        expect([a.end, a.phase, group.starts]).toEqual([null, 'serving', 1]);
      },
      { options: PATIENT },
    ),
  );

  it('and busy loops end, when the drill is killed', () =>
    inGroup(
      async (group) => {
        await group.startAll(['a', 'b']);
        const args = ['--faults', 'starve', '--loops', '1', '--starve-time', '5m'];
        const running = group.startClient('drill', '--yes', ...args);
        await group.until('the loops', () => guards(group).length > 0);
        running.kill('SIGKILL');
        await running.done;
        await group.until('their end', () => guards(group).length === 0);
      },
      { options: GENEROUS },
    ));
});

describe('while a drill is under way', () => {
  it('another of the same group is refused, and one after its end is not', () =>
    inGroup(
      async (group) => {
        await group.startAll(['a', 'b']);
        const args = ['--faults', 'starve', '--loops', '1', '--starve-time', '5m'];
        const running = group.startClient('drill', '--yes', ...args);
        await group.until('the loops', () => guards(group).length > 0);
        const other = await drill(group, '--faults', 'switchover');
        expect([other.code, other.stdout]).toEqual([1, '']);
        expect(other.stderr).toContain('another drill of group g is in progress');
        await group.hasStarted(1);
        running.kill('SIGKILL');
        await running.done;
        const later = await drill(group, '--faults', 'switchover');
        expect([later.code, certificateIn(later).verdict]).toEqual([0, 'held']);
      },
      { options: GENEROUS },
    ));
});

describe('an overlap', () => {
  it('of a helper that left its session and its lock is seen', () =>
    inGroup(
      async (group) => {
        const script = group.path('leaves.sh');
        // A helper that forgets the lock and, once one of them is told to, the session as well.
        const told = 'while ! mv leave left 2>/dev/null; do sleep 0.05; done';
        const helper = `${told}; exec setsid sleep 601`;
        writeFileSync(script, `sh -c '${helper}' 3>&- & exec sleep 600\n`);
        const run = ['sh', script];
        await group.startAll(['a', 'b'], { run });
        const running = group.startClient(
          ...['drill', '--json', '--yes', '--faults', 'starve,switchover'],
          ...['--starve-time', '5s', '--loops', '1'],
        );
        // The plan names the loops before anything is looked at: a line of its own tells that they begin.
        await group.until('the first look', () => /^failover: .*busy loops/m.test(running.stderr));
        writeFileSync(group.path('leave'), '');
        const result = await running.done;
        const { sampling, verdict } = certificateIn(result);
        expect([result.code, verdict], result.stdout).toEqual([8, 'broken']);
        expect(sampling.overlaps.join()).toContain('two were active at once');
        for (const { pid, command } of group.marked()) {
          if (command.startsWith('sleep 601')) group.signal(pid, 'SIGKILL');
        }
      },
      { options: GENEROUS },
    ));
});
