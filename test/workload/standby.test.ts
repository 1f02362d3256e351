import { spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { spawnGated } from '../../src/workload/gate.ts';
import type { GatedProcess } from '../../src/workload/gate.ts';
import { disguised } from '../support/gated.ts';
import { signal } from '../support/process-list.ts';
import { until } from '../support/until.ts';
import {
  lives,
  pidFrom,
  TERM,
  textOf,
  workloadDirectory,
  workloadOf,
} from '../support/workload.ts';
import type { WorkloadUnderTest } from '../support/workload.ts';

/** A hot workload that writes down the role file's content at each signal. */
const TELLER = `
  exec 2>/dev/null
  echo "$FAILOVER_ROLE/$FAILOVER_EPOCH" > $D/started
  trap 'cat $FAILOVER_ROLE_FILE >> $D/told' USR1
  echo $$ > $D/pid
  while :; do sleep 0.02; done`;

async function hotTeller(): Promise<WorkloadUnderTest> {
  const test = await workloadOf(TELLER, {
    standby: 'hot',
    promoteSignal: 'SIGUSR1',
    demoteSignal: 'SIGUSR1',
    demoteCommand: 'exit 0',
  });
  await test.workload.arm();
  await pidFrom(test.path('pid'));
  return test;
}

function roles(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

describe('a hot workload', () => {
  it('runs as secondary without the lock while it stands by', async () => {
    const { workload, lock, ledger, text } = await hotTeller();
    expect(text('started')).toBe('secondary/\n');
    expect(workload.describe().state).toBe('standby');
    expect(lock.isFree()).toBe(true);
    expect(ledger.at(-1)).toMatchObject([{ active: false }]);
    expect(JSON.parse(text('role'))).toEqual({
      role: 'secondary',
      epoch: null,
      reason: 'standing by',
    });
  });

  it('is told its promotion by file, then by signal, and holds the lock', async () => {
    const { workload, lock, ledger, text } = await hotTeller();
    const { pid } = workload.describe();
    await workload.activate(TERM);
    await until('the signal', () => text('told').endsWith('\n'));
    expect(roles(text('told'))).toEqual([{ role: 'primary', epoch: 7, reason: 'a test' }]);
    expect(workload.describe()).toMatchObject({ pid, state: 'running' });
    expect(lock.isFree()).toBe(false);
    expect(ledger.at(-1)).toMatchObject([{ active: true }]);
  });

  it('goes on as secondary with a free lock after a confirmed demotion, and is promoted again', async () => {
    const { workload, lock, ledger, text, heard } = await hotTeller();
    const { pid } = workload.describe();
    await workload.activate(TERM);
    await until('the promotion', () => roles(text('told')).length === 1);
    expect((await workload.runHook('demote', { ...TERM, reason: 'asked' }, 10_000)).ok).toBe(true);
    await until('the demotion', () => roles(text('told')).length === 2);
    expect(lock.isFree()).toBe(false);
    await workload.deactivate();
    expect(lock.isFree()).toBe(true);
    expect(workload.describe()).toMatchObject({ pid, state: 'standby' });
    expect(ledger.at(-1)).toMatchObject([{ process: { pid }, active: false }]);
    await workload.activate({ ...TERM, epoch: 9 });
    await until('the promotion', () => roles(text('told')).length === 3);
    expect(lock.isFree()).toBe(false);
    expect(roles(text('told'))).toEqual([
      { role: 'primary', epoch: 7, reason: 'a test' },
      { role: 'secondary', epoch: 7, reason: 'asked' },
      { role: 'primary', epoch: 9, reason: 'a test' },
    ]);
    expect(heard).toEqual([]);
  });

  it('signals no stranger that has got its number since, as far as its end has not been heard of', async () => {
    const directory = workloadDirectory();
    const heard = join(directory, 'heard');
    const script = `trap 'echo told >> "$0"' USR1; trap 'echo asked >> "$0"' USR2
      echo ready >> "$0"; while :; do sleep 0.02; done`;
    const stranger = spawn('sh', ['-c', script, heard], { detached: true, stdio: 'ignore' });
    const started: GatedProcess[] = [];
    onTestFinished(() => {
      for (const pid of [stranger.pid, ...started.map(({ identity }) => identity.pid)])
        if (pid !== undefined) signal(pid, 'SIGKILL');
    });
    await until('the start of the stranger', () => textOf(heard) === 'ready\n');
    const { workload } = await workloadOf(TELLER, {
      ...{ standby: 'hot', demoteSignal: 'SIGUSR1', demoteCommand: 'exit 0' },
      spawn: async (request) => {
        const gated = await spawnGated(request);
        started.push(gated);
        // Its own start may be of the same clock tick.
        const identity = { ...gated.identity, pid: stranger.pid ?? -1, startTime: '1' };
        return started.length > 1 ? gated : disguised(gated, identity);
      },
    });
    await workload.activate(TERM);
    expect((await workload.runHook('demote', TERM, 10_000)).ok).toBe(true);
    // It has ended, and what it started may live on.
    await expect(workload.deactivate()).rejects.toThrow('has exited');
    // Of the signals that wait, a shell takes the lower number first.
    stranger.kill('SIGUSR2');
    await until('its word', () => textOf(heard).includes('asked'));
    expect(textOf(heard)).toBe('ready\nasked\n');
  });

  it('is signalled also where its start could not be looked at', async () => {
    const { workload, text } = await workloadOf(TELLER, {
      ...{ standby: 'hot', promoteSignal: 'SIGUSR1' },
      spawn: async (request) => {
        const gated = await spawnGated(request);
        return disguised(gated, { ...gated.identity, startTime: 'unknown' });
      },
    });
    await workload.arm();
    await workload.activate(TERM);
    await until('the signal', () => roles(text('told')).length === 1);
    await workload.stop(0);
  });

  it.each([
    ['has ended', []],
    ['does not end', [7]],
  ])('is demoted only once what its hooks left has ended: it %s', async (_, left) => {
    const looks: unknown[] = [];
    const { workload, lock } = await workloadOf(TELLER, {
      ...{ standby: 'hot', demoteCommand: 'exit 0' },
      endHelpers: (_graceMs, lockFiles, ofHooks) => {
        looks.push([lockFiles.size, ofHooks, lock.isFree()]);
        return Promise.resolve(left);
      },
    });
    await workload.arm();
    await workload.activate(TERM);
    expect((await workload.runHook('demote', TERM, 10_000)).ok).toBe(true);
    const demotion = await Promise.allSettled([workload.deactivate()]);
    expect(looks).toEqual([[1, true, false]]);
    expect(demotion).toMatchObject([{ status: left.length === 0 ? 'fulfilled' : 'rejected' }]);
    expect(lock.isFree()).toBe(left.length === 0);
  });

  it('is started once, however often it is ordered meanwhile', async () => {
    const { workload, path, text, ledger } = await workloadOf(TELLER, { standby: 'hot' });
    await Promise.all([workload.arm(), workload.arm(), workload.arm()]);
    await pidFrom(path('pid'));
    expect(ledger.at(-1)).toHaveLength(1);
    expect(text('started')).toBe('secondary/\n');
    await workload.stop(0);
    await workload.arm();
    expect(ledger.at(-1)).toHaveLength(1);
  });

  it('does not pass for demoted when it has ended, for what it started may live on; a stop ends that', async () => {
    const { workload, lock, path, heard } = await workloadOf(
      'sleep 100 & echo $! > $D/helper; exec sleep 100',
      { standby: 'hot' },
    );
    await workload.arm();
    const helper = await pidFrom(path('helper'));
    await workload.activate(TERM);
    process.kill(workload.describe().pid ?? 0, 'SIGKILL');
    await until('the report', () => heard.length === 1);
    await expect(workload.deactivate()).rejects.toThrow('has exited');
    expect(lives(helper)).toBe(true);
    expect(lock.isFree()).toBe(false);
    await workload.stop(0);
    expect(lives(helper)).toBe(false);
    expect(lock.isFree()).toBe(true);
  });

  it('starts as primary where none stood by', async () => {
    const { workload, lock, path, text } = await workloadOf(TELLER, { standby: 'hot' });
    await workload.activate(TERM);
    await pidFrom(path('pid'));
    expect(text('started')).toBe('primary/7\n');
    expect(lock.isFree()).toBe(false);
  });

  it('reports its end as disarmed while it stands by, as ended while it is active', async () => {
    const { workload, heard } = await workloadOf(['sleep', '100'], { standby: 'hot' });
    await workload.arm();
    process.kill(workload.describe().pid ?? 0, 'SIGKILL');
    await until('the report', () => heard.length === 1);
    await workload.arm();
    await workload.activate(TERM);
    process.kill(workload.describe().pid ?? 0, 'SIGKILL');
    await until('the report', () => heard.length === 2);
    expect(heard).toEqual(['disarmed: the standby process exited: died of SIGKILL', 'ended']);
  });

  it('is not promoted while something else holds the lock', async () => {
    const { workload, lock, text } = await hotTeller();
    const other = lock.open();
    other.tryLock();
    await expect(workload.activate(TERM)).rejects.toMatchObject({
      code: 'FAILOVER_PROMOTION_FAILED',
    });
    other.close();
    expect(workload.describe().state).toBe('standby');
    expect(JSON.parse(text('role'))).toMatchObject({ role: 'secondary' });
  });

  it('takes its role file along when it is stopped', async () => {
    const { workload, text, lock } = await hotTeller();
    await workload.activate(TERM);
    await workload.stop(0);
    expect(text('role')).toBe('');
    expect(lock.isFree()).toBe(true);
  });
});

describe('an armed process', () => {
  it('whose lock file was replaced is replaced itself, and the start goes on', async () => {
    const { workload, lock, heard, path, text } = await workloadOf(
      'echo $$ >> $D/started; exec sleep 100',
      { standby: 'armed' },
    );
    await workload.arm();
    const armed = workload.describe().pid ?? 0;
    writeFileSync(path('fresh'), '');
    renameSync(path('fresh'), lock.path);
    await workload.activate(TERM);
    const started = await pidFrom(path('started'));
    expect(started).not.toBe(armed);
    expect(workload.describe()).toMatchObject({ pid: started, state: 'running' });
    expect(lock.isFree()).toBe(false);
    await until('the end of the first', () => !lives(armed));
    expect([text('started'), heard]).toEqual([`${String(started)}\n`, []]);
  });
});
