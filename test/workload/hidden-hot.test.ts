// A hot workload that nobody can look at is told its role all the same, or is not taken for one that knows it.
import { afterEach, expect, it, vi } from 'vitest';
import type { GatedProcess } from '../../src/workload/gate.ts';
import { spawnGated } from '../../src/workload/gate.ts';
import type { WorkloadOptions } from '../../src/workload/supervised-workload.ts';
import { disguised } from '../support/gated.ts';
import { until } from '../support/until.ts';
import { pidFrom, TERM, workloadOf } from '../support/workload.ts';
import type { WorkloadUnderTest } from '../support/workload.ts';

const looks = vi.hoisted(() => ({
  hiddenPid: null as number | null,
  failure: null as Error | null,
}));

vi.mock(import('../../src/fence/process-identity.ts'), async (original) => {
  const { readStat, ...others } = await original();
  return {
    ...others,
    readStat: (pid) => {
      if (looks.failure !== null) throw looks.failure;
      return pid === looks.hiddenPid ? null : readStat(pid);
    },
  };
});

afterEach(() => {
  Object.assign(looks, { hiddenPid: null, failure: null });
  vi.restoreAllMocks();
});

/** A hot workload that writes down each signal that it gets. */
async function listener(options: Partial<WorkloadOptions> = {}): Promise<WorkloadUnderTest> {
  const script = `
    trap 'echo promoted >> $D/told' USR1
    trap 'echo demoted >> $D/told' USR2
    echo $$ > $D/pid
    while :; do sleep 0.02; done`;
  const test = await workloadOf(script, {
    ...{ standby: 'hot', promoteSignal: 'SIGUSR1', demoteSignal: 'SIGUSR2' },
    ...{ demoteCommand: 'exit 0', ...options },
  });
  await test.workload.arm();
  await pidFrom(test.path('pid'));
  return test;
}

async function isToldBoth({ workload, text }: WorkloadUnderTest): Promise<void> {
  await workload.activate(TERM);
  await until('the promotion', () => text('told') === 'promoted\n');
  expect(await workload.runHook('demote', TERM, 10_000)).toMatchObject({ ok: true });
  await until('the demotion', () => text('told') === 'promoted\ndemoted\n');
  await workload.deactivate();
}

it('where its start time is not known', async () => {
  const spawn = async (request: Parameters<typeof spawnGated>[0]): Promise<GatedProcess> => {
    const gated = await spawnGated(request);
    return disguised(gated, { ...gated.identity, startTime: 'unknown' });
  };
  await isToldBoth(await listener({ spawn }));
});

it('where it is hidden', async () => {
  const test = await listener();
  looks.hiddenPid = test.workload.describe().pid;
  await isToldBoth(test);
});

it('where nothing is left to look with at first', async () => {
  const { workload, text } = await listener();
  await workload.activate(TERM);
  looks.failure = new Error('EMFILE: too many open files');
  const outcome = await workload.runHook('demote', TERM, 10_000);
  await expect(workload.deactivate()).rejects.toThrow('EMFILE');
  looks.failure = null;
  expect(outcome).toEqual({
    ok: false,
    detail: 'the workload was not told: EMFILE: too many open files',
  });
  expect(await workload.runHook('demote', TERM, 10_000)).toMatchObject({ ok: true });
  await until('the demotion', () => text('told') === 'promoted\ndemoted\n');
});

it('where it may not be signalled', async () => {
  const { workload, lock } = await listener();
  await workload.activate(TERM);
  const pid = workload.describe().pid ?? 0;
  const refused = Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  const kill = process.kill.bind(process);
  vi.spyOn(process, 'kill').mockImplementation((to, signal) => {
    if (to === -pid && signal === 'SIGUSR2') throw refused;
    return kill(to, signal);
  });
  const detail = 'the workload was not told: Cannot send SIGUSR2 to the workload: kill EPERM';
  expect(await workload.runHook('demote', TERM, 10_000)).toEqual({ ok: false, detail });
  await expect(workload.deactivate()).rejects.toThrow('EPERM');
  expect(lock.isFree()).toBe(false);
});
