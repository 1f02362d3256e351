// The callbacks of one node in the place of processes: one term at a time, and the lock with each.
import { setImmediate as turn } from 'node:timers/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoints } from '../../src/core/state.ts';
import { KernelLock } from '../../src/lease/file/kernel-lock.ts';
import { CallbackWorkload } from '../../src/library/callback-workload.ts';
import { TERM, workloadDirectory } from '../support/workload.ts';

interface UnderTest {
  readonly workload: CallbackWorkload;
  readonly lock: KernelLock;
  readonly announced: Endpoints[];
  readonly warnings: string[];
}

function underTest(fault: Error | null = null): UnderTest {
  const lock = new KernelLock(join(workloadDirectory(), 'workload.lock'));
  const announced: Endpoints[] = [];
  const warnings: string[] = [];
  const workload = new CallbackWorkload({
    lock,
    announce: (endpoints) => {
      if (fault !== null) throw fault;
      announced.push(endpoints);
    },
    warn: (warning) => warnings.push(warning),
  });
  onTestFinished(() => workload.stop(0));
  return { workload, lock, announced, warnings };
}

describe('a term', () => {
  it('holds the workload lock from its activation to its end', async () => {
    const { workload, lock } = underTest();
    await workload.arm();
    expect(workload.describe()).toMatchObject({ state: 'none' });
    await workload.activate(TERM);
    expect(lock.isFree()).toBe(false);
    expect(workload.describe()).toMatchObject({ state: 'running', pid: process.pid });
    await workload.stop(0);
    expect(lock.isFree()).toBe(true);
    await workload.stop(0);
    await workload.activate(TERM);
    expect(lock.isFree()).toBe(false);
  });

  it('does not begin while another run holds the lock', async () => {
    const { workload, lock } = underTest();
    const other = lock.open();
    expect(other.tryLock()).toBe(true);
    await expect(workload.activate(TERM)).rejects.toMatchObject({
      code: 'FAILOVER_PROMOTION_FAILED',
    });
    other.close();
    await workload.activate(TERM);
  });

  it('that was stopped while it began holds nothing', async () => {
    const { workload, lock } = underTest();
    const other = lock.open();
    expect(other.tryLock()).toBe(true);
    const activation = expect(workload.activate(TERM)).rejects.toThrow('told to stop');
    await workload.stop(0);
    other.close();
    await activation;
    expect(lock.isFree()).toBe(true);
  });

  it('gives its own facts to the callback, and the addresses of the callback to the others', async () => {
    const { workload, announced } = underTest();
    const terms: unknown[] = [];
    workload.promote = (term) => {
      terms.push(term);
      return Promise.resolve({ bus: 'ipc:///tmp/x.bus', rpc: 'ipc:///tmp/x.rpc' });
    };
    const effect = { ...TERM, type: 'activate-workload' };
    await workload.activate(effect);
    expect(await workload.runHook('promote', effect, 1_000)).toMatchObject({ ok: true });
    expect(terms).toEqual([TERM]);
    expect(announced).toEqual([{ bus: 'ipc:///tmp/x.bus', rpc: 'ipc:///tmp/x.rpc' }]);
  });
});

describe('the promote callback', () => {
  it('is followed by a demotion also where its addresses could not be announced', async () => {
    const { workload } = underTest(new Error('EROFS'));
    const demoted: string[] = [];
    workload.promote = () => Promise.resolve({ bus: 'tcp://h:1', rpc: 'tcp://h:2' });
    workload.demote = () => {
      demoted.push('demoted');
      return Promise.resolve();
    };
    await workload.activate(TERM);
    expect(await workload.runHook('promote', TERM, 1_000)).toEqual({ ok: false, detail: 'EROFS' });
    await workload.stop(1_000);
    expect(demoted).toEqual(['demoted']);
  });

  it('fails also when it throws at once', async () => {
    const { workload } = underTest();
    workload.promote = () => {
      throw new Error('at once');
    };
    await workload.activate(TERM);
    const result = await workload.runHook('promote', TERM, 1_000);
    expect(result).toEqual({ ok: false, detail: 'at once' });
  });

  it('fails when its time is over, whether or not it heeds the signal', async () => {
    const { workload, warnings } = underTest();
    let letGo: () => void = () => undefined;
    workload.promote = () => new Promise((resolve) => (letGo = resolve));
    await workload.activate(TERM);
    const result = await workload.runHook('promote', TERM, 10);
    expect(result).toEqual({ ok: false, detail: 'not done within 10ms' });
    await workload.stop(0);
    expect(warnings.join()).toContain('is still running');
    await expect(workload.activate(TERM)).rejects.toThrow('of an earlier term');
    letGo();
    await turn();
    await workload.activate(TERM);
  });

  it('fails also when it heeds the signal of its time by returning', async () => {
    const { workload, announced } = underTest();
    let demotions = 0;
    workload.promote = (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve({ bus: 'ipc:///tmp/x.bus', rpc: 'ipc:///tmp/x.rpc' });
        });
      });
    workload.demote = () => {
      demotions += 1;
      return Promise.resolve();
    };
    await workload.activate(TERM);
    const result = await workload.runHook('promote', TERM, 10);
    expect(result).toEqual({ ok: false, detail: 'not done within 10ms' });
    await workload.stop(1_000);
    expect([announced, demotions]).toEqual([[], 0]);
  });

  it('is told when the term ends, and then fails with the reason', async () => {
    const { workload, lock } = underTest();
    let aborted = false;
    workload.promote = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('gave up'));
        });
      });
    await workload.activate(TERM);
    const running = workload.runHook('promote', TERM, 60_000);
    await workload.stop(60_000);
    expect(aborted).toBe(true);
    expect(await running).toEqual({ ok: false, detail: 'gave up' });
    expect(lock.isFree()).toBe(true);
  });

  it('is not called in a term that is over', async () => {
    const { workload } = underTest();
    let calls = 0;
    workload.promote = () => {
      calls += 1;
      return Promise.resolve();
    };
    expect(await workload.runHook('promote', TERM, 1_000)).toMatchObject({ ok: false });
    expect(calls).toBe(0);
  });
});

describe('the demote callback', () => {
  it('is called only after a promotion that succeeded', async () => {
    const { workload } = underTest();
    const terms: unknown[] = [];
    workload.promote = () => Promise.reject(new Error('no'));
    workload.demote = (term) => {
      terms.push(term);
      return Promise.resolve();
    };
    await workload.activate(TERM);
    await workload.runHook('promote', TERM, 1_000);
    await workload.stop(1_000);
    expect(terms).toEqual([]);
    workload.promote = () => Promise.resolve();
    await workload.activate(TERM);
    await workload.runHook('promote', TERM, 1_000);
    await workload.stop(1_000);
    expect(terms).toEqual([TERM]);
  });

  it('that fails is said, and the lock is given back', async () => {
    const { workload, lock, warnings } = underTest();
    workload.demote = () => Promise.reject(new Error('no way'));
    await workload.activate(TERM);
    await workload.runHook('promote', TERM, 1_000);
    await workload.stop(1_000);
    expect(warnings).toEqual(['the demote callback failed: no way']);
    expect(lock.isFree()).toBe(true);
  });

  it('has its grace cut short by a second stop', async () => {
    const { workload, lock } = underTest();
    let limit: AbortSignal | null = null;
    workload.demote = (_, signal) => {
      limit = signal;
      return new Promise(() => undefined);
    };
    await workload.activate(TERM);
    await workload.runHook('promote', TERM, 1_000);
    const slow = workload.stop(3_600_000);
    await turn();
    expect(limit).toMatchObject({ aborted: false });
    await Promise.all([slow, workload.stop(0)]);
    expect(limit).toMatchObject({ aborted: true });
    expect(lock.isFree()).toBe(true);
  });
});
