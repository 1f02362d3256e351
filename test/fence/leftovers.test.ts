import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { ProcessFencing } from '../../src/fence/fence.ts';
import type { ClearOutcome, Graces } from '../../src/fence/leftovers.ts';
import { findLockHolders } from '../../src/fence/lock-holders.ts';
import { noteSession } from '../../src/fence/own-sessions.ts';
import { ownIdentity, readStat } from '../../src/fence/process-identity.ts';
import { scanSessions } from '../../src/fence/session-members.ts';
import { signal } from '../support/process-list.ts';
import { until } from '../support/until.ts';
import { deadSupervisor, OWN_RUN, runs, session, Stage } from './stage.ts';

/** Longer than a test: what ends before it ended by SIGTERM. */
const LONG_MS = 15_000;

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

const clearWith = (graces: Graces): Promise<ClearOutcome> =>
  new ProcessFencing(stage.sources).clearLeftovers(graces);

const clear = (graceMs = LONG_MS): Promise<ClearOutcome> =>
  clearWith({ fenceGraceMs: graceMs, stopGraceMs: LONG_MS });

describe('what a dead supervisor recorded', () => {
  it('an orphan that the kernel told already has the grace of an ordinary stop', async () => {
    const deaf = await stage.start(`trap '' TERM; echo ready; exec sleep 1000`, { lock: true });
    stage.addNode('a', deadSupervisor(), [session(deaf, { stopsWithSupervisor: true })]);
    const graces = { fenceGraceMs: LONG_MS, stopGraceMs: 50 };
    expect((await clearWith(graces)).type).toBe('cleared');
    expect(runs(deaf.identity.pid)).toBe(false);
  });

  it('an orphan that the kernel told already is not told again while it ends', async () => {
    const script = `trap 'echo told; sleep 0.2; echo done; exit 0' TERM; echo ready; sleep 1000 & wait`;
    const orphan = await stage.start(script, { lock: true });
    process.kill(orphan.identity.pid, 'SIGTERM');
    stage.addNode('a', deadSupervisor(), [session(orphan, { stopsWithSupervisor: true })]);
    const graces = { fenceGraceMs: LONG_MS, stopGraceMs: LONG_MS };
    expect((await clearWith(graces)).type).toBe('cleared');
    expect(await orphan.end).toBe(0);
    expect(orphan.lines).toEqual(['told', 'done']);
  });

  it('nothing recorded alive and a free lock is cleared without a signal', async () => {
    stage.addNode('a', deadSupervisor(), [session({ identity: deadSupervisor() })]);
    expect(await clear()).toEqual({ type: 'cleared', ended: 0 });
  });

  it.each([true, false])('its session is ended with SIGTERM (active: %s)', async (active) => {
    const actor = await stage.start('echo ready; exec sleep 1000', { lock: true });
    stage.addNode('a', deadSupervisor(), [session(actor, { active })]);
    expect(await clear()).toEqual({ type: 'cleared', ended: 1 });
    expect(await actor.end).toBe('SIGTERM');
  });

  it('a pid that another process has now is not signalled', async () => {
    const actor = await stage.start('echo ready; exec sleep 1000');
    const earlier = { ...actor.identity, startTime: String(Number(actor.identity.startTime) - 1) };
    stage.addNode('a', deadSupervisor(), [session({ identity: earlier })]);
    expect(await clear()).toEqual({ type: 'cleared', ended: 0 });
    expect(runs(actor.identity.pid)).toBe(true);
  });

  it('a session of another boot is not signalled', async () => {
    const actor = await stage.start('echo ready; exec sleep 1000');
    stage.addNode('a', deadSupervisor(), [
      session({ identity: { ...actor.identity, bootId: 'another' } }),
    ]);
    expect(await clear()).toEqual({ type: 'cleared', ended: 0 });
    expect(runs(actor.identity.pid)).toBe(true);
  });

  it('what runs in another pid namespace is waited for, and named', async () => {
    stage.addNode('a', { ...deadSupervisor(), pidNamespace: 'another' });
    stage.unseen = [{ description: 'what node a started', why: 'it cannot be seen' }];
    const outcome = await clear(0);
    expect(outcome).toEqual({ type: 'remain', detail: 'what node a started: it cannot be seen' });
    expect(stage.cleared).toBe(0);
  });

  it('a helper in another process group is ended too', async () => {
    const script = 'set -m; sleep 1000 & echo $!; echo ready; wait';
    const actor = await stage.startCommand(['bash', '-c', script], { lock: true });
    await until('the helper is known', () => actor.lines.length === 1);
    stage.addNode('a', deadSupervisor(), [session(actor)]);
    expect(await clear()).toEqual({ type: 'cleared', ended: 2 });
    expect(runs(Number(actor.lines[0]))).toBe(false);
  });

  it('an orphan whose leader has ended is found by its session', async () => {
    const actor = await stage.start('sleep 1000 & echo $!; echo ready; exit 1', { lock: true });
    await actor.end;
    await until('the orphan is known', () => actor.lines.length === 1);
    stage.addNode('a', deadSupervisor(), [session(actor)]);
    expect(await clear()).toEqual({ type: 'cleared', ended: 1 });
    expect(runs(Number(actor.lines[0]))).toBe(false);
  });

  it('a helper that closed the lock descriptor is found though the lock is free', async () => {
    const script = 'sleep 1000 3>&- & echo $!; exec 3>&-; echo ready; exit 0';
    const actor = await stage.start(script, { lock: true });
    await actor.end;
    await until('the helper is known', () => actor.lines.length === 1);
    await until('the lock is free', () => stage.workloadLock.isFree());
    stage.addNode('a', deadSupervisor(), [session(actor)]);
    expect(await clear()).toEqual({ type: 'cleared', ended: 1 });
    expect(runs(Number(actor.lines[0]))).toBe(false);
  });

  it('who ignores SIGTERM is killed after the grace', async () => {
    const actor = await stage.start(`trap '' TERM; echo ready; exec sleep 1000`, { lock: true });
    stage.addNode('a', deadSupervisor(), [session(actor)]);
    expect(await clear(30)).toEqual({ type: 'cleared', ended: 1 });
    expect(await actor.end).toBe('SIGKILL');
  });

  it('processes that are forked while the session ends are ended too', async () => {
    const script = `trap 'sh -c "trap : TERM; while :; do sleep 1000; done" & exit 0' TERM
      echo ready; while :; do sleep 1000 & wait; done`;
    const actor = await stage.start(script, { lock: true });
    stage.addNode('a', deadSupervisor(), [session(actor)]);
    const outcome = await clear(200);
    expect(outcome.type).toBe('cleared');
    expect(findLockHolders(stage.workloadLock.path)).toEqual([]);
  });

  it('who forks a successor before each grace is over is killed in the end', async () => {
    const script = `trap '' TERM; next() { sleep 0.05; next & }; next & echo ready`;
    const env = stage.mark('a');
    const actor = await stage.startCommand(['bash', '-c', script], { lock: true, env });
    stage.addNode('a', deadSupervisor(), [session(actor)]);
    const graces = { fenceGraceMs: 500, stopGraceMs: 500 };
    expect((await clearWith(graces)).type).toBe('cleared');
    expect(findLockHolders(stage.workloadLock.path)).toEqual([]);
  });

  it('a newer order ends the one under way, and answers for it', async () => {
    const deaf = await stage.start(
      `trap 'echo told' TERM; echo ready; while :; do sleep 0.02; done`,
    );
    stage.addNode('a', deadSupervisor(), [session(deaf)]);
    let looks = 0;
    const listNodes = (): typeof stage.nodes => {
      looks += 1;
      return stage.nodes;
    };
    const fencing = new ProcessFencing({ ...stage.sources, listNodes });
    // Long enough for the newer order to come before its end, on a busy machine too.
    const graceMs = 2_000;
    const older = fencing.clearLeftovers({ fenceGraceMs: graceMs, stopGraceMs: graceMs });
    await until('it was told', () => deaf.lines.includes('told'));
    const toldMs = performance.now();
    const newer = fencing.clearLeftovers({ fenceGraceMs: LONG_MS, stopGraceMs: LONG_MS });
    await until('the grace of the older is over', () => performance.now() > toldMs + graceMs);
    const looksBefore = looks;
    await until('the newer has looked often', () => looks > looksBefore + 20);
    expect(runs(deaf.identity.pid)).toBe(true);
    deaf.child.kill('SIGKILL');
    const outcome = await newer;
    expect(outcome.type).toBe('cleared');
    expect(await older).toBe(outcome);
  });

  it('a stopped process is continued, so that it can end by SIGTERM', async () => {
    const script = `trap 'echo asked; exit 0' TERM; sleep 1000 & echo ready; wait`;
    const actor = await stage.start(script, { lock: true });
    process.kill(actor.identity.pid, 'SIGSTOP');
    await until('it is stopped', () => readStat(actor.identity.pid)?.state === 'T');
    stage.addNode('a', deadSupervisor(), [session(actor)]);
    expect((await clear()).type).toBe('cleared');
    expect(await actor.end).toBe(0);
    await until('it said so', () => actor.lines.includes('asked'));
  });

  it('an orphan to be kept is named and not signalled, and so is what left its session', async () => {
    const script = 'setsid sleep 1000 & echo ready; exec sleep 1000';
    const actor = await stage.start(script, { lock: true, env: stage.mark('a') });
    // Another run that has had the id since.
    stage.addNode('a', deadSupervisor(), []);
    stage.addNode('a', deadSupervisor(), [session(actor, { keep: true })]);
    const outcome = await clear(0);
    expect(outcome).toMatchObject({ type: 'remain' });
    expect(JSON.stringify(outcome)).toContain(
      `pid ${String(actor.identity.pid)} (sleep 1000): an orphan that is kept`,
    );
    const holders = findLockHolders(stage.workloadLock.path);
    expect(holders.length).toBeGreaterThan(1);
    for (const { pid } of holders) signal(pid, 'SIGKILL');
  });
});

describe('what holds the workload lock', () => {
  it.each([
    ['of this very run is ended, though its next gate is to be kept', OWN_RUN, 'cleared'],
    ['of a former run of the same id is kept, as what this run starts is', 'earlier', 'remain'],
  ])('%s', async (_, run, outcome) => {
    // Started by a command that has ended since, in a session of its own.
    const helper = await stage.start('echo ready; exec sleep 1000', {
      lock: true,
      env: stage.mark('a', run),
    });
    const gate = await stage.start('echo ready; exec sleep 1000', {
      env: stage.mark('a', OWN_RUN),
    });
    stage.addNode('a', ownIdentity(), [session(gate, { active: false, keep: true })], {
      run: OWN_RUN,
    });
    expect((await clear(0)).type).toBe(outcome);
    expect([runs(helper.identity.pid), runs(gate.identity.pid)]).toEqual([run !== OWN_RUN, true]);
  });

  it('is ended when its environment names the group, though no record does', async () => {
    const actor = await stage.start('echo ready; exec sleep 1000', {
      lock: true,
      env: stage.mark('gone'),
    });
    expect(await clear()).toEqual({ type: 'cleared', ended: 1 });
    expect(await actor.end).toBe('SIGTERM');
  });

  it.each([
    ['group', { FAILOVER_GROUP: 'other' }],
    ['state directory', { FAILOVER_STATE_DIR: '/' }],
  ])('is left alone and named when its %s is another', async (_, change) => {
    const actor = await stage.start('echo ready; exec sleep 1000', {
      lock: true,
      env: { ...stage.mark('gone'), ...change },
    });
    expect(await clear(0)).toEqual({
      type: 'remain',
      detail: `pid ${String(actor.identity.pid)} (sleep 1000): holds the workload lock but is not known to belong to this group`,
    });
    expect(runs(actor.identity.pid)).toBe(true);
  });

  it('is named with its command and left alone when it is a stranger', async () => {
    const stranger = await stage.startLockHolder(stage.workloadLock);
    stage.addNode('a', deadSupervisor(), []);
    const outcome = await clear(0);
    expect(outcome).toMatchObject({ type: 'remain' });
    expect(JSON.stringify(outcome)).toContain(`pid ${String(stranger.identity.pid)} (`);
    expect(JSON.stringify(outcome)).toContain('-e');
    expect(runs(stranger.identity.pid)).toBe(true);
  });

  it('is waited for where it can not be seen: another user’s, or out of this namespace', async () => {
    const fencing = new ProcessFencing({ ...stage.sources, isWorkloadLockFree: () => false });
    expect(await fencing.clearLeftovers({ fenceGraceMs: 0, stopGraceMs: 0 })).toEqual({
      type: 'remain',
      detail: 'the workload lock is held by a process that this user cannot inspect',
    });
  });

  it('is waited for when it is about to end by itself', async () => {
    const actor = await stage.start('echo ready; read _; exit 0', { lock: true, stdin: 'pipe' });
    // The clock stands still: however long its end takes on a busy machine, it comes in time.
    const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    onTestFinished(() => {
      now.mockRestore();
    });
    let looks = 0;
    const listNodes = (): typeof stage.nodes => {
      looks += 1;
      // It has been seen once.
      if (looks === 2) actor.child.stdin?.end();
      return stage.nodes;
    };
    const fencing = new ProcessFencing({ ...stage.sources, listNodes });
    const outcome = await fencing.clearLeftovers({ fenceGraceMs: 0, stopGraceMs: 0 });
    expect(outcome).toEqual({ type: 'cleared', ended: 0 });
    expect(await actor.end).toBe(0);
  });

  it('this process itself is never signalled', async () => {
    const description = stage.workloadLock.open();
    description.tryLock();
    const outcome = await clear(0);
    description.close();
    expect(outcome).toMatchObject({ type: 'remain' });
    expect(JSON.stringify(outcome)).toContain('this process itself holds the workload lock');
  });

  it('is ended when it is of an earlier life of a node id that is alive again', async () => {
    const actor = await stage.start('echo ready; exec sleep 1000', {
      lock: true,
      env: stage.mark('b'),
    });
    let restarted = await stage.start('echo ready; exec sleep 1000');
    // Start times count in hundredths of a second.
    await until('the node has started later', async () => {
      restarted = await stage.start('echo ready; exec sleep 1000');
      return Number(restarted.identity.startTime) > Number(actor.identity.startTime);
    });
    stage.addNode('b', restarted.identity);
    expect(await clear()).toEqual({ type: 'cleared', ended: 1 });
    expect(await actor.end).toBe('SIGTERM');
  });
});

describe('what belongs to the living', () => {
  it("another live node's active session is named and not signalled", async () => {
    const supervisor = await stage.start('echo ready; exec sleep 1000');
    const actor = await stage.start('echo ready; exec sleep 1000', {
      lock: true,
      env: stage.mark('b'),
    });
    stage.addNode('b', supervisor.identity, [session(actor)]);
    expect(await clear(0)).toEqual({
      type: 'remain',
      detail: `pid ${String(actor.identity.pid)} (sleep 1000): active workload of node b, which is alive`,
    });
    expect(runs(actor.identity.pid)).toBe(true);
  });

  it("what left another live node's session with the lock is spared too", async () => {
    const supervisor = await stage.start('echo ready; exec sleep 1000');
    const actor = await stage.start('echo ready; exec sleep 1000', {
      lock: true,
      env: stage.mark('b'),
    });
    stage.addNode('b', supervisor.identity);
    expect(await clear(0)).toMatchObject({ type: 'remain' });
    expect(runs(actor.identity.pid)).toBe(true);
  });

  it("another live node's gate or hot standby is in nobody's way", async () => {
    const supervisor = await stage.start('echo ready; exec sleep 1000');
    const standby = await stage.start('echo ready; exec sleep 1000');
    stage.addNode('b', supervisor.identity, [session(standby, { active: false })]);
    expect(await clear(0)).toEqual({ type: 'cleared', ended: 0 });
    expect(runs(standby.identity.pid)).toBe(true);
  });

  it('of this run only the ended session is emptied, the armed gate stays', async () => {
    const gate = await stage.start('echo ready; exec sleep 1000');
    const last = await stage.start('sleep 1000 & echo ready; exit 1', { lock: true });
    await last.end;
    stage.addNode('own', ownIdentity(), [session(gate, { active: false }), session(last)]);
    const [record] = stage.nodes.splice(0);
    if (record !== undefined) stage.nodes.push({ ...record, run: stage.sources.run });
    const ended = session(last);
    noteSession(ended);
    stage.ended.push(ended);
    expect(await clear()).toEqual({ type: 'cleared', ended: 1 });
    expect(runs(gate.identity.pid)).toBe(true);
  });

  it('a daemon that may have the number of an ended session of this run is not signalled', async () => {
    const daemon = await stage.start('sleep 1000 & echo ready; exit 0');
    await daemon.end;
    const before = { ...daemon.identity, startTime: 'unknown' };
    stage.ended.push(session({ identity: before }));
    const outcome = await clear(0);
    expect(outcome).toMatchObject({
      type: 'remain',
      detail: expect.stringMatching(/sleep 1000.*it may be an unrelated process/) as unknown,
    });
    expect(scanSessions(new Set([before.pid])).has(before.pid)).toBe(true);
  });

  it('a daemon with the number of a dead node’s session needs more than what people export', async () => {
    const { FAILOVER_GROUP = '', FAILOVER_STATE_DIR = '' } = stage.mark('a');
    const env = { FAILOVER_GROUP, FAILOVER_STATE_DIR };
    const daemon = await stage.start('sleep 1000 & echo ready; exit 0', { env });
    await daemon.end;
    const before = { ...daemon.identity, startTime: 'unknown' };
    stage.addNode('a', deadSupervisor(), [session({ identity: before })]);
    expect(await clear(0)).toMatchObject({
      type: 'remain',
      detail: expect.stringMatching(/sleep 1000.*it may be an unrelated process/) as unknown,
    });
    expect(scanSessions(new Set([before.pid])).has(before.pid)).toBe(true);
  });

  it('a supervisor that was started from within a dead one’s workload lives on', async () => {
    const actor = await stage.start('sleep 1000 & echo $!; echo ready; wait', { lock: true });
    await until('the supervisor is known', () => actor.lines.length === 1);
    const pid = Number(actor.lines[0]);
    const identity = { ...actor.identity, pid, startTime: readStat(pid)?.startTime ?? '' };
    stage.addNode('inner', identity);
    stage.addNode('a', deadSupervisor(), [session(actor)]);
    const outcome = await clear();
    expect(runs(pid)).toBe(true);
    expect(await actor.end).toBe('SIGTERM');
    // Here it inherited the lock, which a real one would not have.
    expect(outcome).toMatchObject({ type: 'remain' });
  });
});

describe('what was started under a record that was removed', () => {
  it('is named and not signalled: its environment is no proof', async () => {
    const actor = await stage.start('exec 3>&-; echo ready; exec sleep 1000', {
      env: stage.mark('a'),
    });
    expect((await clear(0)).type).toBe('cleared');
    expect(stage.cleared).toBe(1);
    stage.missesRecords = true;
    const outcome = await clear(0);
    const pid = String(actor.identity.pid);
    expect(outcome.type === 'remain' && outcome.detail).toBe(
      `pid ${pid} (sleep 1000): its environment names this group, but the record of its starter was removed; kill it manually`,
    );
    expect([runs(actor.identity.pid), stage.cleared]).toEqual([true, 1]);
    actor.child.kill('SIGKILL');
    await actor.end;
    expect((await clear(0)).type).toBe('cleared');
    expect(stage.cleared).toBe(2);
  });

  it('is no matter where a node that is registered and alive has started it', async () => {
    const supervisor = await stage.start('echo ready; exec sleep 1000');
    stage.addNode('a', supervisor.identity);
    await stage.start('echo ready; exec sleep 1000', { env: stage.mark('a') });
    await stage.start('echo ready; exec sleep 1000', {
      env: { ...stage.mark('a'), FAILOVER_GROUP: 'b' },
    });
    stage.missesRecords = true;
    expect((await clear(0)).type).toBe('cleared');
  });

  it('is in the way where the record of the living node that started it was put back', async () => {
    const supervisor = await stage.start('echo ready; exec sleep 1000');
    stage.addNode('a', supervisor.identity);
    await stage.start('echo ready; exec sleep 1000', { env: stage.mark('a') });
    stage.missesRecords = true;
    stage.recordsAreKept = false;
    expect((await clear(0)).type).toBe('remain');
  });

  it('is not what a shell has the variables from that client commands read', async () => {
    const { FAILOVER_GROUP = '', FAILOVER_STATE_DIR = '' } = stage.mark('a');
    const env = { FAILOVER_GROUP, FAILOVER_STATE_DIR };
    await stage.start('echo ready; exec sleep 1000', { env });
    stage.missesRecords = true;
    expect((await clear(0)).type).toBe('cleared');
  });

  it('is in the way where a node of the same id is alive that began after it', async () => {
    const former = await stage.start('echo ready; exec sleep 1000', { env: stage.mark('a') });
    // Starts are told apart by the clock's ticks.
    await until('a tick has passed', () => ownTick() > Number(former.identity.startTime) + 1);
    const supervisor = await stage.start('echo ready; exec sleep 1000');
    stage.addNode('a', supervisor.identity);
    stage.missesRecords = true;
    expect((await clear(0)).type).toBe('remain');
  });
});

/** The time of a start that happens now, in the kernel's ticks since boot. */
function ownTick(): number {
  return Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * TICKS_PER_SECOND);
}

const TICKS_PER_SECOND = 100;
