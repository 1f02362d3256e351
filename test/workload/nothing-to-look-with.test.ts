// A stop that finds nothing to look with signals nobody: it fails, so that it is tried again.
import { expect, it, vi } from 'vitest';
import { lives, pidFrom, TERM, workloadOf } from '../support/workload.ts';

const looks = vi.hoisted(() => ({ failure: null as Error | null }));

vi.mock(import('../../src/workload/living-members.ts'), async (original) => {
  const { livingMembers, ...others } = await original();
  return {
    ...others,
    livingMembers: (records) => {
      if (looks.failure !== null) throw looks.failure;
      return livingMembers(records);
    },
  };
});

it.each([
  ['on this machine', undefined],
  ['on a server', (): boolean => false],
])('with its lease %s', async (_, mayBeTaken) => {
  const { workload, lock, path } = await workloadOf('echo $$ > $D/pid; exec sleep 1000', {
    ...(mayBeTaken === undefined ? {} : { mayBeTaken }),
  });
  await workload.activate(TERM);
  const pid = await pidFrom(path('pid'));
  looks.failure = new Error('EMFILE: too many open files');
  await expect(workload.stop(0)).rejects.toThrow(
    'Cannot stop the workload: its processes could not be inspected: EMFILE',
  );
  expect([lives(pid), lock.isFree()]).toEqual([true, false]);
  looks.failure = null;
  await workload.stop(0);
  expect([lives(pid), lock.isFree()]).toEqual([false, true]);
});
