import { statSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readStat } from '../../src/fence/process-identity.ts';
import { spawnGated } from '../../src/workload/gate.ts';
import { CommandWorkload } from '../../src/workload/supervisor.ts';
import { disguised } from '../support/gated.ts';
import { signal } from '../support/process-list.ts';
import { until } from '../support/until.ts';
import { lives, pidFrom, TERM, workloadOf } from '../support/workload.ts';
import type { WorkloadUnderTest } from '../support/workload.ts';

describe('stopping a workload', () => {
  it('asks with TERM, waits, and leaves nothing and a free lock', async () => {
    const { workload, lock, heard, ledger, path, text } = await workloadOf(
      `trap 'echo bye > $D/bye; exit' TERM; echo $$ > $D/pid; while :; do sleep 0.02; done`,
    );
    await workload.activate(TERM);
    const pid = await pidFrom(path('pid'));
    expect(lock.isFree()).toBe(false);
    await workload.stop(10_000);
    expect(text('bye')).toBe('bye\n');
    expect(lives(pid)).toBe(false);
    expect(lock.isFree()).toBe(true);
    expect(ledger.at(-1)).toEqual([]);
    expect(heard).toEqual([]);
    expect(workload.describe()).toMatchObject({ pid: null, state: 'none' });
  });

  it('kills what ignores TERM once the grace is over', async () => {
    const { workload, lock, path } = await workloadOf(
      `trap '' TERM; echo $$ > $D/pid; while :; do sleep 0.02; done`,
    );
    await workload.activate(TERM);
    const pid = await pidFrom(path('pid'));
    await workload.stop(100);
    expect(lives(pid)).toBe(false);
    expect(lock.isFree()).toBe(true);
  });

  it('kills at once without a grace', async () => {
    const { workload, path, text } = await workloadOf(
      `trap 'echo TERM > $D/got' TERM; echo $$ > $D/pid; while :; do sleep 0.02; done`,
    );
    await workload.activate(TERM);
    const pid = await pidFrom(path('pid'));
    await workload.stop(0);
    expect(lives(pid)).toBe(false);
    expect(text('got')).toBe('');
  });

  it('ends concurrent calls together, at the shortest grace', async () => {
    const { workload, path } = await workloadOf(
      `trap 'echo TERM > $D/got' TERM; echo $$ > $D/pid; while :; do sleep 0.02; done`,
    );
    await workload.activate(TERM);
    const pid = await pidFrom(path('pid'));
    const first = workload.stop(1_000_000);
    const second = workload.stop(2_000_000);
    expect(workload.describe().state).toBe('stopping');
    const third = workload.stop(0);
    expect(second).toBe(first);
    expect(third).toBe(first);
    await third;
    expect(lives(pid)).toBe(false);
  });

  it('that does not end fails as long as the lease is on a server, where nobody waits for it', async () => {
    let isTaken = false;
    const { workload, path } = await workloadOf('echo $$ > $D/pid; exec sleep 1000', {
      mayBeTaken: () => isTaken,
    });
    await workload.activate(TERM);
    const pid = await pidFrom(path('pid'));
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    try {
      await expect(workload.stop(0)).rejects.toThrow(`process ${String(pid)} did not exit`);
      isTaken = true;
      await workload.stop(0);
    } finally {
      kill.mockRestore();
    }
    isTaken = false;
    expect(lives(pid)).toBe(true);
    await workload.stop(0);
    expect(lives(pid)).toBe(false);
  });

  it('ends who was started by it, however long ago anybody has looked', async () => {
    const { workload, helper } = await lateEnd('sleep 1000');
    await workload.stop(0);
    expect(lives(helper)).toBe(false);
  });

  it('fails where somebody may be of its last run as long as the lease is on a server, and signals nobody', async () => {
    let isTaken = false;
    const { workload, helper, ledger } = await lateEnd('env -i sleep 1000', () => isTaken);
    await expect(workload.stop(0)).rejects.toThrow('may be of its last run, or a stranger');
    expect([lives(helper), ledger.at(-1)?.length]).toEqual([true, 1]);
    isTaken = true;
    await workload.stop(0);
    isTaken = false;
    await expect(workload.stop(0)).rejects.toThrow('may be of its last run, or a stranger');
    process.kill(helper, 'SIGKILL');
    await until('its end', () => !lives(helper));
    await workload.stop(0);
    expect(ledger.at(-1)).toEqual([]);
  });

  it('resumes what was stopped, so that it can take the TERM', async () => {
    const { workload, path, text } = await workloadOf(
      `trap 'echo bye > $D/bye; exit' TERM; echo $$ > $D/pid; while :; do sleep 0.02; done`,
    );
    await workload.activate(TERM);
    process.kill(await pidFrom(path('pid')), 'SIGSTOP');
    await workload.stop(10_000);
    expect(text('bye')).toBe('bye\n');
  });

  it('leaves alone what the command starts to clean up, until that is done', async () => {
    const { workload, path, text } = await workloadOf(
      `trap 'sleep 0.2 && echo cleaned > $D/cleaned; exit' TERM
       echo $$ > $D/pid; while :; do sleep 0.02; done`,
    );
    await workload.activate(TERM);
    await pidFrom(path('pid'));
    await workload.stop(10_000);
    expect(text('cleaned')).toBe('cleaned\n');
  });

  it('ends a helper that left the process group', async () => {
    const { workload, lock, path } = await workloadOf(
      // The usual sh gives it a group of its own only at a terminal.
      `export D; exec bash -c 'set -m; sleep 100 & echo $! > $D/helper; echo $$ > $D/pid; wait'`,
    );
    await workload.activate(TERM);
    const helper = await pidFrom(path('helper'));
    const session = await pidFrom(path('pid'));
    await until('it has a group of its own', () => readStat(helper)?.group === helper);
    expect(readStat(helper)?.session).toBe(session);
    await workload.stop(5_000);
    expect(lives(helper)).toBe(false);
    expect(lock.isFree()).toBe(true);
  });

  it('ends a helper that closed the lock, and one that is forked at the TERM', async () => {
    const { workload, path } = await workloadOf(
      `sleep 100 3>&- & echo $! > $D/closed
       trap 'sleep 100 & echo $! > $D/forked; exit' TERM
       echo $$ > $D/pid; while :; do sleep 0.02; done`,
    );
    await workload.activate(TERM);
    const closed = await pidFrom(path('closed'));
    await pidFrom(path('pid'));
    await workload.stop(5_000);
    expect(lives(closed)).toBe(false);
    expect(lives(await pidFrom(path('forked')))).toBe(false);
  });

  it('ends an armed process without its ever running', async () => {
    const { workload, heard, text, ledger } = await workloadOf('echo ran > $D/ran');
    await workload.arm();
    const pid = workload.describe().pid ?? 0;
    await workload.stop(5_000);
    expect(lives(pid)).toBe(false);
    expect(text('ran')).toBe('');
    expect(heard).toEqual([]);
    expect(ledger.at(-1)).toEqual([]);
  });

  it('ends a hook that runs', async () => {
    const { workload, path } = await workloadOf('sleep 100', {
      promoteCommand: 'echo $$ > $FAILOVER_STATE_DIR/hook; sleep 100; echo never',
    });
    await workload.activate(TERM);
    const hook = workload.runHook('promote', TERM, 60_000);
    const pid = await pidFrom(path('hook'));
    await workload.stop(5_000);
    expect(lives(pid)).toBe(false);
    const result = await hook;
    expect(result.ok).toBe(false);
    expect(result.detail).toMatch(/^died of SIGTERM after /);
  });

  it('has what still holds the lock ended, with the same grace, and says nothing', async () => {
    const graces: number[] = [];
    const { workload, lock, warnings } = await workloadOf('exec sleep 100', {
      endHolders: (graceMs) => {
        graces.push(graceMs);
        holder.close();
        return Promise.resolve();
      },
    });
    await workload.activate(TERM);
    const holder = await heldBesides(workload, lock);
    await workload.stop(0);
    expect(graces).toEqual([0]);
    expect(lock.isFree()).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('shortens the grace of what still holds the lock when a second stop has less', async () => {
    const graces: number[] = [];
    const { workload, lock, warnings } = await workloadOf('exec sleep 100', {
      endHolders: (graceMs) => {
        graces.push(graceMs);
        // As one that ignores TERM does: it outlives its grace.
        if (graceMs > 0) return new Promise(() => undefined);
        holder.close();
        return Promise.resolve();
      },
    });
    await workload.activate(TERM);
    const holder = await heldBesides(workload, lock);
    const stopped = workload.stop(1_000_000);
    await until('the holder to be asked', () => graces.length === 1);
    void workload.stop(2_000_000);
    expect(graces).toEqual([1_000_000]);
    void workload.stop(0);
    await stopped;
    expect(graces).toEqual([1_000_000, 0]);
    expect(warnings).toEqual([]);
  });

  it('has nobody ended where the lock is free', async () => {
    let calls = 0;
    const { workload } = await workloadOf('exec sleep 100', {
      endHolders: () => {
        calls += 1;
        return Promise.resolve();
      },
    });
    await workload.activate(TERM);
    await workload.stop(0);
    expect(calls).toBe(0);
  });

  it('resolves also when what holds the lock can not be ended, and says why', async () => {
    const { workload, lock, warnings } = await workloadOf('exec sleep 100', {
      endHolders: () => Promise.reject(new Error('no processes to be seen')),
    });
    await workload.activate(TERM);
    const holder = await heldBesides(workload, lock);
    await workload.stop(0);
    expect(warnings.join()).toContain('no processes to be seen');
    holder.close();
  });

  it('resolves when a stranger holds the lock, and says so', async () => {
    const { workload, lock, warnings } = await workloadOf('exec sleep 100');
    await workload.activate(TERM);
    const stranger = await heldBesides(workload, lock);
    try {
      await workload.stop(0);
      expect(warnings.join()).toContain('still holds the workload lock');
    } finally {
      stranger.close();
    }
  });

  it('fails for a stranger with the lock as long as the lease is on a server, each time', async () => {
    let isTaken = false;
    const graces: number[] = [];
    const { workload, lock, warnings } = await workloadOf('exec sleep 100', {
      mayBeTaken: () => isTaken,
      endHolders: (graceMs) => {
        graces.push(graceMs);
        return Promise.resolve({ type: 'remain', detail: 'pid 7 (stranger)' });
      },
    });
    await workload.activate(TERM);
    const stranger = await heldBesides(workload, lock);
    try {
      await expect(workload.stop(5)).rejects.toThrow(
        'still holds the workload lock: pid 7 (stranger)',
      );
      await expect(workload.stop(0)).rejects.toThrow('still holds the workload lock');
      expect(graces).toEqual([5, 0]);
      isTaken = true;
      await workload.stop(0);
    } finally {
      stranger.close();
    }
    isTaken = false;
    await workload.stop(0);
    expect([graces.length, warnings]).toEqual([2, []]);
  });

  it('fails for it, too, once the next run is made ready beside what the ended one has left', async () => {
    let asked = 0;
    const { workload, lock } = await workloadOf('exec sleep 100', {
      mayBeTaken: () => false,
      endHolders: () => {
        asked += 1;
        return Promise.resolve();
      },
    });
    await workload.activate(TERM);
    const stranger = await heldBesides(workload, lock);
    // As a restart in place does.
    await workload.arm();
    await expect(workload.stop(0)).rejects.toThrow('still holds the workload lock');
    expect(asked).toBe(1);
    stranger.close();
    await workload.stop(0);
  });

  it('fails as well where the lock of a lease on a server can not be looked at', async () => {
    const { workload, lock } = await workloadOf('exec sleep 100', {
      mayBeTaken: () => false,
      endHolders: () => Promise.reject(new Error('no processes to be seen')),
    });
    await workload.activate(TERM);
    const holder = await heldBesides(workload, lock);
    await expect(workload.stop(0)).rejects.toThrow('no processes to be seen');
    holder.close();
    await workload.stop(0);
  });

  it('gives up after a while where nothing tells whether the lock of a lease on a server is held', async () => {
    const { workload, lock, warnings } = await workloadOf('exec sleep 100', {
      mayBeTaken: () => false,
    });
    await workload.activate(TERM);
    const readOnly = new Error('read-only file system');
    vi.spyOn(lock, 'open').mockImplementation(() => {
      throw readOnly;
    });
    vi.spyOn(lock, 'isFree').mockImplementation(() => {
      throw readOnly;
    });
    for (let attempt = 1; attempt < 10; attempt += 1) {
      await expect(workload.stop(0)).rejects.toThrow('read-only file system');
    }
    await workload.stop(0);
    expect(warnings.join()).toContain('could not be inspected: Error: read-only file system');
    vi.restoreAllMocks();
  });

  it('fails where nothing is left to look at a lock with, also of a lease on this machine', async () => {
    const { workload, lock } = await workloadOf('exec sleep 100');
    await workload.activate(TERM);
    const noMore = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    const refuse = (): never => {
      throw noMore;
    };
    vi.spyOn(lock, 'open').mockImplementation(refuse);
    vi.spyOn(lock, 'isFree').mockImplementation(refuse);
    await expect(workload.stop(0)).rejects.toThrow('EMFILE');
    vi.restoreAllMocks();
    await workload.stop(0);
    expect(lock.isFree()).toBe(true);
  });

  it('is carried out also after one that failed', async () => {
    const { workload, lock } = await workloadOf('exec sleep 100', {
      warn: () => {
        throw new Error('nobody to tell');
      },
    });
    await workload.activate(TERM);
    const stranger = await heldBesides(workload, lock);
    await expect(workload.stop(0)).rejects.toThrow('nobody to tell');
    stranger.close();
    await workload.activate({ ...TERM, epoch: 8 });
    const { pid, state } = workload.describe();
    expect(state).toBe('running');
    await workload.stop(0);
    expect(lives(pid ?? 0)).toBe(false);
    expect(lock.isFree()).toBe(true);
  });

  it('has nothing to do, and asks for no lock, when nothing runs', async () => {
    const { workload, lock, warnings } = await workloadOf('sleep 100');
    const other = lock.open();
    other.tryLock();
    await workload.stop(10_000);
    await workload.arm();
    await workload.stop(10_000);
    other.close();
    expect(warnings).toEqual([]);
  });
});

describe('what is made ready for a start', () => {
  it('is the role file, which goes with the workload', async () => {
    const { workload, path, text } = await workloadOf('exec sleep 100');
    if (!(workload instanceof CommandWorkload)) throw new Error('another kind of workload');
    workload.startAhead();
    const ahead = statSync(path('role.new')).ino;
    await workload.activate(TERM);
    expect(statSync(path('role')).ino).toBe(ahead);
    expect(text('role')).toContain('"role":"primary"');
    workload.startAhead();
    await workload.stop(1_000);
    expect([text('role'), text('role.new')]).toEqual(['', '']);
  });
});

describe('a workload that ends by itself', () => {
  it('is reported with its exit code, also when helpers live on', async () => {
    const { workload, heard, ends, lock, path } = await workloadOf(
      'sleep 100 & echo $! > $D/helper; exit 3',
    );
    await workload.activate(TERM);
    const helper = await pidFrom(path('helper'));
    await until('the report', () => heard.length > 0);
    expect(heard).toEqual(['ended']);
    expect(ends).toEqual([{ exitCode: 3, signal: null }]);
    expect(lives(helper)).toBe(true);
    expect(workload.ownEndedSessions()).toHaveLength(1);
    expect(lock.isFree()).toBe(false);
  });

  it('can be armed anew beside its leftovers, and starts again only when they are gone', async () => {
    const { workload, heard, ledger, path, text } = await workloadOf(
      `if [ -f $D/helper ]; then echo again > $D/again; exec sleep 100; fi
       sleep 100 3>&- & echo $! > $D/helper; exit 1`,
    );
    await workload.activate(TERM);
    const helper = await pidFrom(path('helper'));
    await until('the report', () => heard.length > 0);
    await workload.arm();
    await expect(workload.activate({ ...TERM, epoch: 8 })).rejects.toMatchObject({
      code: 'FAILOVER_PROMOTION_FAILED',
      message: `Cannot start the workload: process ${String(helper)} of its last run has not ended`,
    });
    expect(ledger.at(-1)).toHaveLength(2);
    expect(text('again')).toBe('');
    process.kill(helper, 'SIGKILL');
    await until('its end', () => !lives(helper));
    await workload.activate({ ...TERM, epoch: 8 });
    await until('the restart', () => text('again') === 'again\n');
    expect(ledger.at(-1)).toHaveLength(1);
    expect(workload.ownEndedSessions()).toEqual([]);
  });

  it('is forgotten once it is empty, and not before', async () => {
    const { workload, heard, ledger, path } = await workloadOf(
      'sleep 100 3>&- & echo $! > $D/helper; exit 1',
    );
    await workload.activate(TERM);
    const helper = await pidFrom(path('helper'));
    await until('the report', () => heard.length > 0);
    expect(workload.forgetEmptySessions()).toMatchObject([{ pid: helper }]);
    expect(workload.ownEndedSessions()).toHaveLength(1);
    process.kill(helper, 'SIGKILL');
    await until('its end', () => !lives(helper));
    expect(workload.forgetEmptySessions()).toEqual([]);
    expect(workload.ownEndedSessions()).toEqual([]);
    expect(ledger.at(-1)).toEqual([]);
  });

  it('is reported with its signal', async () => {
    const { workload, ends, path } = await workloadOf('echo $$ > $D/pid; sleep 100');
    await workload.activate(TERM);
    process.kill(await pidFrom(path('pid')), 'SIGKILL');
    await until('the report', () => ends.length > 0);
    expect(ends).toEqual([{ exitCode: null, signal: 'SIGKILL' }]);
  });
});

describe('a start that can not be', () => {
  it('names a command that does not exist', async () => {
    const { workload, lock } = await workloadOf(['no-such-command-here']);
    await expect(workload.activate(TERM)).rejects.toMatchObject({
      code: 'FAILOVER_COMMAND_NOT_FOUND',
      exitCode: 127,
    });
    expect(lock.isFree()).toBe(true);
  });

  it('starts nothing while another description holds the lock', async () => {
    const { workload, lock, text } = await workloadOf('echo ran > $D/ran');
    const other = lock.open();
    other.tryLock();
    try {
      await expect(workload.activate(TERM)).rejects.toMatchObject({
        code: 'FAILOVER_PROMOTION_FAILED',
      });
      await workload.arm();
      await expect(workload.activate(TERM)).rejects.toMatchObject({
        code: 'FAILOVER_PROMOTION_FAILED',
      });
      expect(text('ran')).toBe('');
    } finally {
      other.close();
    }
  });

  it('starts nothing when it is stopped meanwhile', async () => {
    const { workload, text } = await workloadOf('echo ran > $D/ran');
    const activation = workload.activate(TERM);
    const stopped = workload.stop(1_000);
    await expect(activation).rejects.toMatchObject({ code: 'FAILOVER_PROMOTION_FAILED' });
    await stopped;
    expect(text('ran')).toBe('');
    expect(workload.describe().state).toBe('none');
  });
});

describe('the lock', () => {
  it('stays held by the workload alone once it has started', async () => {
    const { workload, lock, path } = await workloadOf('echo $$ > $D/pid; exec 3>&-; sleep 100');
    await workload.activate(TERM);
    await pidFrom(path('pid'));
    await until('a free lock', () => lock.isFree());
  });

  it('stays held by the supervisor too where hooks need it', async () => {
    const { workload, lock, path } = await workloadOf('exec 3>&-; echo $$ > $D/pid; sleep 100', {
      demoteCommand: 'true',
    });
    await workload.activate(TERM);
    await pidFrom(path('pid'));
    expect(lock.isFree()).toBe(false);
    await workload.stop(1_000);
    expect(lock.isFree()).toBe(true);
  });
});

/** Has the workload killed, and then its lock by a description that is none of its own. */
async function heldBesides(
  workload: WorkloadUnderTest['workload'],
  lock: WorkloadUnderTest['lock'],
): Promise<ReturnType<typeof lock.open>> {
  process.kill(workload.describe().pid ?? 0, 'SIGKILL');
  await until('the end', () => workload.describe().state === 'ended');
  const description = lock.open();
  expect(description.tryLock()).toBe(true);
  return description;
}

/**
 * A workload that has left a helper without the lock. Its first process has ended, and this one hears of that so late that
 * the session may be a stranger's.
 */
async function lateEnd(
  helperCommand: string,
  mayBeTaken: () => boolean = () => false,
): Promise<WorkloadUnderTest & { readonly helper: number }> {
  const now = vi.spyOn(process, 'hrtime').mockReturnValue([1_000, 0]);
  onTestFinished(() => {
    now.mockRestore();
  });
  const test = await workloadOf(`${helperCommand} 3>&- & echo $! > $D/helper; exit 1`, {
    mayBeTaken,
    spawn: async (request) => {
      const gated = await spawnGated(request);
      // Its number proves nothing, as where all numbers have gone round since.
      return disguised(gated, { ...gated.identity, startTime: 'unknown' }, 0);
    },
  });
  await test.workload.activate(TERM);
  const helper = await pidFrom(test.path('helper'));
  onTestFinished(() => {
    signal(helper, 'SIGKILL');
  });
  await until('the report', () => test.heard.length > 0);
  // Before that it has the environment of the shell.
  await until('it is the command', () => readStat(helper)?.name === 'sleep');
  now.mockReturnValue([1_000_000, 0]);
  return { ...test, helper };
}
