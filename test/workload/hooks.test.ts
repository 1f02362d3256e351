import { describe, expect, it } from 'vitest';
import { spawnGated } from '../../src/workload/gate.ts';
import { until } from '../support/until.ts';
import { lives, pidFrom, TERM, workloadOf } from '../support/workload.ts';

describe('a hook', () => {
  it('succeeds with exit code 0 and knows its term', async () => {
    const { workload, text } = await workloadOf('exec sleep 100', {
      promoteCommand:
        'echo "$FAILOVER_ROLE $FAILOVER_EPOCH $FAILOVER_PREVIOUS $FAILOVER_REASON" > $FAILOVER_STATE_DIR/hook',
    });
    await workload.activate(TERM);
    const result = await workload.runHook('promote', TERM, 60_000);
    expect(result.ok).toBe(true);
    expect(result.detail).toMatch(/^exit code 0 after \d+ms$|^exit code 0 after \d+s/);
    expect(text('hook')).toBe('primary 7 b a test\n');
  });

  it('tells a demote command that the role is secondary', async () => {
    const { workload, text } = await workloadOf('exec sleep 100', {
      demoteCommand: 'echo "$FAILOVER_ROLE" > $FAILOVER_STATE_DIR/hook',
    });
    await workload.activate(TERM);
    expect((await workload.runHook('demote', TERM, 60_000)).ok).toBe(true);
    expect(text('hook')).toBe('secondary\n');
  });

  it('is what demotes from its beginning on, and not while it is being started', async () => {
    const notes: boolean[] = [];
    let start: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    const { workload } = await workloadOf('exec sleep 100', {
      demoteCommand: 'true',
      noteDemotion: (note) => notes.push(note !== null),
      spawn: async (request) => {
        const gated = await spawnGated(request);
        if (request.command.includes('true')) await started;
        return gated;
      },
    });
    await workload.activate(TERM);
    const hook = workload.runHook('demote', TERM, 60_000);
    await Promise.resolve();
    expect(notes).toEqual([true]);
    start();
    expect((await hook).ok).toBe(true);
    expect(notes).toEqual([true, false]);
  });

  it('fails with its exit code, or the signal it died of', async () => {
    const { workload } = await workloadOf('exec sleep 100', {
      promoteCommand: 'exit 3',
      demoteCommand: 'kill -SEGV $$',
    });
    await workload.activate(TERM);
    const promote = await workload.runHook('promote', TERM, 60_000);
    expect(promote.ok).toBe(false);
    expect(promote.detail).toMatch(/^exit code 3 after /);
    const demote = await workload.runHook('demote', TERM, 60_000);
    expect(demote.ok).toBe(false);
    expect(demote.detail).toMatch(/^died of SIGSEGV after /);
  });

  it('is ended when its time is up, by KILL if it ignores TERM', async () => {
    const { workload, path, ledger } = await workloadOf('exec sleep 100', {
      promoteCommand: `trap '' TERM; echo $$ > $FAILOVER_STATE_DIR/hook; while :; do sleep 0.02; done`,
    });
    await workload.activate(TERM);
    // Enough for a shell to start in, and to write its pid.
    const result = await workload.runHook('promote', TERM, 3_000);
    expect(result).toEqual({ ok: false, detail: 'timed out after 3s' });
    expect(lives(await pidFrom(path('hook')))).toBe(false);
    expect(ledger.at(-1)).toMatchObject([{ kind: 'workload' }]);
  });

  it('is recorded while it runs, and what it left behind is ended', async () => {
    const { workload, path, ledger } = await workloadOf('exec sleep 100', {
      promoteCommand: 'sleep 100 & echo $! > $FAILOVER_STATE_DIR/left',
    });
    await workload.activate(TERM);
    const result = await workload.runHook('promote', TERM, 60_000);
    expect(result.ok).toBe(true);
    expect(ledger.at(-2)).toMatchObject([{ kind: 'workload' }, { kind: 'hook', active: true }]);
    expect(ledger.at(-1)).toMatchObject([{ kind: 'workload' }]);
    expect(lives(await pidFrom(path('left')))).toBe(false);
  });

  it('holds the lock, also after the workload has ended', async () => {
    const { workload, lock, path, ends } = await workloadOf('exit 0', {
      demoteCommand: 'echo $$ > $FAILOVER_STATE_DIR/hook; exec sleep 100',
    });
    await workload.activate(TERM);
    await until('its end', () => ends.length > 0);
    expect(lock.isFree()).toBe(true);
    const hook = workload.runHook('demote', TERM, 60_000);
    await pidFrom(path('hook'));
    expect(lock.isFree()).toBe(false);
    await workload.stop(5_000);
    await hook;
    expect(lock.isFree()).toBe(true);
  });

  it('is refused while the workload is being stopped', async () => {
    const { workload, text } = await workloadOf(`trap '' TERM; while :; do sleep 0.02; done`, {
      promoteCommand: 'echo ran > $FAILOVER_STATE_DIR/hook',
    });
    await workload.activate(TERM);
    const stopped = workload.stop(50);
    expect((await workload.runHook('promote', TERM, 1_000)).ok).toBe(false);
    await stopped;
    expect(text('hook')).toBe('');
  });

  it('does not start when a stop overtakes it', async () => {
    const { workload, text } = await workloadOf([], {
      promoteCommand: 'echo ran > $FAILOVER_STATE_DIR/hook',
    });
    const hook = workload.runHook('promote', TERM, 1_000);
    await workload.stop(1_000);
    expect(await hook).toEqual({
      ok: false,
      detail: 'could not be started: the workload is stopping',
    });
    expect(text('hook')).toBe('');
  });
});

describe('a watcher', () => {
  it('holds the lock for its term and passes it to its hooks', async () => {
    const { workload, lock, path, text } = await workloadOf([], {
      promoteCommand: 'readlink /proc/self/fd/3 > $FAILOVER_STATE_DIR/fd',
    });
    await workload.arm();
    await workload.activate(TERM);
    expect(lock.isFree()).toBe(false);
    expect((await workload.runHook('promote', TERM, 60_000)).ok).toBe(true);
    expect(text('fd')).toBe(`${path('workload.lock')}\n`);
    expect(workload.describe()).toEqual({ pid: null, state: 'none', command: [] });
    await workload.stop(1_000);
    expect(lock.isFree()).toBe(true);
  });

  it('has what its promote command left with the lock ended, and keeps a lease on a server beside it', async () => {
    let [asked, isTaken] = [0, false];
    const { workload, lock, path } = await workloadOf([], {
      promoteCommand:
        'cd $FAILOVER_STATE_DIR; setsid sh -c "echo \\$\\$ > left; exec sleep 1000" & ' +
        'until [ -s left ]; do sleep 0.02; done',
      mayBeTaken: () => isTaken,
      endHolders: () => {
        asked += 1;
        return Promise.resolve();
      },
    });
    await workload.activate(TERM);
    expect((await workload.runHook('promote', TERM, 60_000)).ok).toBe(true);
    const left = await pidFrom(path('left'));
    expect(workload.forgetEmptySessions()).toEqual([]);
    try {
      await expect(workload.stop(0)).rejects.toThrow('still holds the workload lock');
      expect([asked, lock.isFree()]).toEqual([1, false]);
    } finally {
      isTaken = true;
      process.kill(left, 'SIGKILL');
    }
    await workload.stop(0);
  });
});
