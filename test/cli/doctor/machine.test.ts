// What the doctor makes of processes, limits and clocks of a machine.
import { describe, expect, it } from 'vitest';
import { judgeSynchronization, judgeUptime } from '../../../src/cli/doctor/checks/clocks.ts';
import {
  inactiveFileBytes,
  judgeMemory,
  judgeOpenFiles,
  judgeProcesses,
  limitOf,
  unwatched,
} from '../../../src/cli/doctor/checks/limits.ts';
import {
  judgeDeathSignal,
  judgePressure,
  judgeProc,
} from '../../../src/cli/doctor/checks/processes.ts';
import { answering, record, snapshotOf, statusOf } from '../support/snapshot.ts';
import { find, placeWith } from './place.ts';

describe('processes', () => {
  it('are told of by /proc', () => {
    expect(judgeProc(false, false).status).toBe('failure');
    expect(judgeProc(true, true)).toMatchObject({ status: 'warning' });
    expect(judgeProc(true, true).fact).toContain('hidepid');
  });

  it('of the group that this user may not signal are named', async ({ skip }) => {
    if (process.getuid?.() === 0) skip('root may signal every process');
    const foreign = answering(statusOf('a'), { supervisor: { ...record('a').supervisor, pid: 1 } });
    const look = (): Promise<ReturnType<typeof snapshotOf>> =>
      Promise.resolve(snapshotOf('a', [foreign]));
    const found = await find('signals', placeWith({ look }));
    expect(found).toMatchObject({ status: 'failure' });
    expect(found.fact).toContain('a (pid 1)');
  });

  it('are not told of the end of their supervisor everywhere', () => {
    expect(judgeDeathSignal(false)).toMatchObject({ status: 'warning' });
  });

  it('that wait for the CPU are warned of, and where nobody tells of it', () => {
    expect(judgePressure(0.49, true).status).toBe('ok');
    expect(judgePressure(0.5, true)).toMatchObject({ status: 'warning' });
    expect(judgePressure(null, true).status).toBe('warning');
    expect(judgePressure(null, false)).toMatchObject({ status: 'warning' });
  });
});

describe('limits', () => {
  const LIMITS = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             96365                unlimited            processes ',
    'Max open files            unlimited            1048576              files     ',
  ].join('\n');

  it('are read as the kernel writes them', () => {
    expect(limitOf(LIMITS, 'Max processes')).toBe(96_365);
    expect(limitOf(LIMITS, 'Max open files')).toBe(Infinity);
    expect(limitOf(LIMITS, 'Max nonsense')).toBeNull();
  });

  it.each([
    [95, 'failure'],
    [96, 'warning'],
    [256, 'ok'],
    [null, 'ok'],
  ])('of %s open files: %s', (limit, status) => {
    expect(judgeOpenFiles(limit).status).toBe(status);
  });

  it('of processes are the least of user and cgroup', () => {
    expect(judgeProcesses(1_000, null).status).toBe('ok');
    expect(judgeProcesses(1_000, { current: 50, max: 100 })).toMatchObject({
      status: 'warning',
      fact: 'This user may have 1000 processes, the cgroup has 50 of 100',
    });
    expect(judgeProcesses(23, null).status).toBe('failure');
    expect(judgeProcesses(null, null).status).toBe('ok');
  });

  it('of memory are the least of machine and cgroup', () => {
    const GiB = 2 ** 30;
    expect(judgeMemory(GiB, null).status).toBe('ok');
    expect(judgeMemory(GiB, { current: GiB, max: GiB + 100 * 2 ** 20 }).status).toBe('warning');
    expect(judgeMemory(1, null).status).toBe('warning');
  });

  it('of memory do not count files in the cache that nobody uses', () => {
    expect(inactiveFileBytes('anon 1\ninactive_file 4096\nactive_file 7\n')).toBe(4096);
    const legacy = 'inactive_file 1\ntotal_inactive_file 8192\ntotal_active_file 7\n';
    expect(inactiveFileBytes(legacy)).toBe(8192);
    expect(inactiveFileBytes('')).toBe(0);
  });

  it('of watches are warned of', () => {
    expect(unwatched('EMFILE', 'max_user_instances 1').fact).toContain(
      '(EMFILE; max_user_instances 1)',
    );
  });
});

describe('clocks', () => {
  it('that see no suspension are warned of', () => {
    expect(judgeUptime(null, 5).status).toBe('warning');
    expect(judgeUptime(10_000, 20_000)).toMatchObject({ status: 'warning' });
    expect(judgeUptime(100_000, 40_000).fact).toContain('was suspended for 1m');
    expect(judgeUptime(100_000, 100_001).fact).toContain('there was none');
  });

  it('that nobody synchronizes are warned of, where that is told', () => {
    expect([true, false, null].map((isSet) => judgeSynchronization(isSet).status)).toEqual([
      'ok',
      'warning',
      'ok',
    ]);
  });
});
