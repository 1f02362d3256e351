import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessFencing } from '../../src/fence/fence.ts';
import { ownIdentity, readStat } from '../../src/fence/process-identity.ts';
import { deadSupervisor, runs, Stage } from './stage.ts';
import type { Actor } from './stage.ts';
import { mayBeAnotherUser } from '../support/another-user.ts';
import { until } from '../support/until.ts';

const SETPRIV = '/usr/bin/setpriv';

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

/** A node `a` whose supervisor holds the lease, as record and kernel say. */
async function startPrimary(then?: string): Promise<Actor> {
  const actor = await stage.startLockHolder(stage.primaryLock, then);
  stage.addNode('a', actor.identity);
  stage.nameHolder('a');
  return actor;
}

async function stop(actor: Actor): Promise<void> {
  process.kill(actor.identity.pid, 'SIGSTOP');
  await until('it is stopped', () => readStat(actor.identity.pid)?.state === 'T');
}

describe('inspect', () => {
  it('sees a free lease', async () => {
    const fencing = new ProcessFencing(stage.sources);
    expect(await fencing.inspect()).toMatchObject({
      observation: { held: false },
      holder: 'none',
      process: null,
      sample: null,
    });
  });

  it('sees the registered supervisor that the kernel shows as holder, asleep', async () => {
    const primary = await startPrimary();
    const fencing = new ProcessFencing(stage.sources);
    await until('it sleeps', async () => (await fencing.inspect()).process === 'sleeping');
    const inspection = await fencing.inspect();
    expect(inspection).toMatchObject({ holder: 'ours', observation: { held: true, epoch: 7 } });
    expect(inspection.description).toContain(`pid ${String(primary.identity.pid)} (`);
  });

  it('sees a holder that no record names by its environment, else a foreign one', async () => {
    const fencing = new ProcessFencing(stage.sources);
    const stranger = await stage.startLockHolder(stage.primaryLock);
    expect((await fencing.inspect()).holder).toBe('foreign');
    stranger.child.kill('SIGKILL');
    await stranger.end;
    await stage.startLockHolder(stage.primaryLock, undefined, stage.mark('a'));
    expect((await fencing.inspect()).holder).toBe('ours');
  });

  it('sees that a stopped process gets no time, from the second look on', async () => {
    await stop(await startPrimary());
    const fencing = new ProcessFencing(stage.sources);
    expect(await fencing.inspect()).toMatchObject({ process: 'stopped', sample: null });
    const { process: state, sample } = await fencing.inspect();
    expect(state).toBe('stopped');
    expect(sample).toMatchObject({ onCpuMs: 0, waitingMs: 0 });
    expect(sample?.overMs).toBeGreaterThan(0);
  });

  it('sees that a spinning process uses the CPU', async () => {
    await startPrimary('for (;;);');
    const fencing = new ProcessFencing(stage.sources);
    let onCpuMs = 0;
    await until('it has used 20 ms', async () => {
      const inspection = await fencing.inspect();
      onCpuMs += inspection.sample?.onCpuMs ?? 0;
      expect(inspection.process).toBe('running');
      return onCpuMs > 20;
    });
  });

  it('begins the samples anew when the holder is another process', async () => {
    const first = await startPrimary();
    const fencing = new ProcessFencing(stage.sources);
    await fencing.inspect();
    first.child.kill('SIGKILL');
    await first.end;
    await startPrimary();
    expect((await fencing.inspect()).sample).toBeNull();
    expect((await fencing.inspect()).sample).not.toBeNull();
  });

  it('tells the share of time in which tasks waited, if the kernel does', async () => {
    const { cpuPressure } = await new ProcessFencing(stage.sources).inspect();
    if (!existsSync('/proc/pressure/cpu')) expect(cpuPressure).toBeNull();
    else expect(cpuPressure).toBeGreaterThanOrEqual(0);
    expect(cpuPressure ?? 0).toBeLessThanOrEqual(1);
  });
});

describe('fence', () => {
  const kill = { epoch: 7, run: 'run-of-a', mode: 'kill' } as const;

  it('kills the judged supervisor, stopped or not, and returns when the lease is free', async () => {
    const primary = await startPrimary();
    await stop(primary);
    const fencing = new ProcessFencing(stage.sources);
    await fencing.inspect();
    const { outcome, detail } = await fencing.fence(kill);
    expect(outcome).toBe('killed');
    expect(detail).toContain(`pid ${String(primary.identity.pid)} (`);
    expect(detail).toContain('stopped');
    expect(stage.primaryLock.isFree()).toBe(true);
    expect(await primary.end).toBe('SIGKILL');
  });

  it('spares a process with nodes of other groups while it answers, also a forced order', async () => {
    const primary = await stage.startLockHolder(stage.primaryLock);
    stage.addNode('a', primary.identity, [], { sharesProcess: true });
    stage.nameHolder('a');
    const fencing = new ProcessFencing(stage.sources);
    stage.answering = 'answered';
    const { outcome, detail } = await fencing.fence(kill);
    expect([outcome, detail]).toEqual(['not-permitted', expect.stringContaining('other groups')]);
    expect(runs(primary.identity.pid)).toBe(true);
    // It may be this process that does not hear.
    stage.answering = 'unknown';
    const unknown = await fencing.fence(kill);
    expect([unknown.outcome, unknown.detail]).toEqual([
      'not-permitted',
      expect.stringContaining('retrying later'),
    ]);
    expect(runs(primary.identity.pid)).toBe(true);
    // What answers nothing is hung, whatever else is in it.
    stage.answering = 'silent';
    expect((await fencing.fence(kill)).outcome).toBe('killed');
  });

  it('asks the process that has the lease, and not who is named as its holder', async () => {
    const primary = await stage.startLockHolder(stage.primaryLock);
    stage.addNode('named', ownIdentity(), [], { sharesProcess: true });
    stage.addNode('a', primary.identity, [], { sharesProcess: true, rpc: 'ipc:///of-a' });
    stage.nameHolder('named');
    stage.answering = 'answered';
    const { outcome } = await new ProcessFencing(stage.sources).fence({ ...kill, run: null });
    expect(outcome).toBe('not-permitted');
    expect(stage.asked).toEqual([{ process: primary.identity, address: 'ipc:///of-a' }]);
  });

  it('spares a stopped one when asked to, and no other', async () => {
    const primary = await startPrimary();
    const fencing = new ProcessFencing(stage.sources);
    const unlessStopped = { ...kill, mode: 'kill-unless-stopped' } as const;
    await stop(primary);
    expect((await fencing.fence(unlessStopped)).outcome).toBe('spared-stopped');
    expect(runs(primary.identity.pid)).toBe(true);
    process.kill(primary.identity.pid, 'SIGCONT');
    await until('it goes on', () => readStat(primary.identity.pid)?.state !== 'T');
    expect((await fencing.fence(unlessStopped)).outcome).toBe('killed');
  });

  it('kills nobody when fencing is off', async () => {
    const primary = await startPrimary();
    const { outcome } = await new ProcessFencing(stage.sources).fence({ ...kill, mode: 'none' });
    expect(outcome).toBe('not-permitted');
    expect(runs(primary.identity.pid)).toBe(true);
  });

  it('kills nobody once another epoch has come', async () => {
    const primary = await startPrimary();
    const fencing = new ProcessFencing(stage.sources);
    await fencing.inspect();
    stage.observation = { ...stage.observation, epoch: 8 };
    expect((await fencing.fence(kill)).outcome).toBe('stale');
    expect(runs(primary.identity.pid)).toBe(true);
  });

  it('kills nobody who took the lease after the judged one was looked at', async () => {
    const judged = await startPrimary();
    const fencing = new ProcessFencing(stage.sources);
    await fencing.inspect();
    judged.child.kill('SIGKILL');
    await judged.end;
    const next = await stage.startLockHolder(stage.primaryLock);
    stage.addNode('b', next.identity);
    const { outcome, detail } = await fencing.fence(kill);
    expect(outcome).toBe('stale');
    expect(detail).toContain(`pid ${String(next.identity.pid)} (`);
    expect(runs(next.identity.pid)).toBe(true);
  });

  it('finds the lease free when the judged one has ended', async () => {
    const judged = await startPrimary();
    const fencing = new ProcessFencing(stage.sources);
    await fencing.inspect();
    judged.child.kill('SIGKILL');
    await judged.end;
    expect((await fencing.fence(kill)).outcome).toBe('gone');
  });

  it('names a foreign holder and leaves it alone', async () => {
    const stranger = await stage.startLockHolder(stage.primaryLock);
    stage.nameHolder('a');
    const { outcome, detail } = await new ProcessFencing(stage.sources).fence(kill);
    expect(outcome).toBe('foreign');
    expect(detail).toContain(`pid ${String(stranger.identity.pid)} (`);
    expect(runs(stranger.identity.pid)).toBe(true);
  });

  it('never ends this process', async () => {
    const description = stage.primaryLock.open();
    description.tryLock();
    stage.addNode('a', { ...deadSupervisor() });
    const { outcome } = await new ProcessFencing(stage.sources).fence(kill);
    description.close();
    expect(outcome).toBe('stale');
  });

  it('kills a candidate that took the lease and claims no epoch, as one that was stopped', async () => {
    stage.addNode('a', deadSupervisor());
    stage.nameHolder('a');
    const candidate = await stage.startLockHolder(stage.primaryLock);
    stage.addNode('b', candidate.identity);
    await stop(candidate);
    expect((await new ProcessFencing(stage.sources).fence(kill)).outcome).toBe('killed');
  });

  it('spares a candidate that took the lease a moment ago and claims its epoch', async () => {
    stage.addNode('a', deadSupervisor());
    stage.nameHolder('a');
    const candidate = await stage.startLockHolder(stage.primaryLock);
    stage.addNode('b', candidate.identity);
    let looks = 0;
    const observe = (): ReturnType<typeof stage.sources.observe> => ({
      ...stage.sources.observe(),
      epoch: (looks += 1) > 4 ? 8 : 7,
    });
    const fencing = new ProcessFencing({ ...stage.sources, observe });
    expect((await fencing.fence(kill)).outcome).toBe('stale');
    expect(runs(candidate.identity.pid)).toBe(true);
  });

  it.skipIf(!mayBeAnotherUser || !existsSync(SETPRIV))(
    "says that it may not signal another user's processes (needs root and setpriv)",
    async () => {
      const primary = await startPrimary();
      const left = await stage.start('echo ready; exec sleep 1000', { lock: true });
      chmodSync(stage.stateDir, 0o755);
      const asNobody = runAsNobody(primary, left);
      expect(asNobody.fence).toMatchObject({ outcome: 'not-permitted' });
      expect(asNobody.fence.detail).toContain(`pid ${String(primary.identity.pid)} (`);
      expect(asNobody.inspection).toMatchObject({ holder: 'ours', process: null });
      expect(asNobody.leftovers).toEqual({
        type: 'remain',
        detail: `pid ${String(left.identity.pid)} (sleep 1000): no permission to signal it`,
      });
      expect(runs(primary.identity.pid) && runs(left.identity.pid)).toBe(true);
    },
  );
});

interface Answers {
  readonly inspection: object;
  readonly fence: { readonly outcome: string; readonly detail: string };
  readonly leftovers: object;
}

/** In the built package: the other user's process has no test runner around it. */
function runAsNobody(primary: Actor, left: Actor): Answers {
  const built = join(import.meta.dirname, '..', '..', 'dist', 'fence', 'fence.js');
  const { observe, isWorkloadLockFree, listNodes, ownEndedSessions, ...others } = stage.sources;
  const { missesRecordIn, isKept, unseenRemains, cleared, displacedLockPaths, ...plain } = others;
  const nothing = [unseenRemains(listNodes()), displacedLockPaths()];
  expect([missesRecordIn(listNodes()), ...nothing, cleared, isKept]).toEqual([
    false,
    [],
    [],
    expect.any(Function),
    expect.any(Function),
  ]);
  const session = { process: left.identity, kind: 'workload', active: true, keep: false };
  const [node] = listNodes();
  const nodes = [node, { ...node, run: 'r', supervisor: deadSupervisor(), sessions: [session] }];
  expect([isWorkloadLockFree(), ownEndedSessions(), primary.identity]).toMatchObject([
    false,
    [],
    node?.supervisor ?? {},
  ]);
  const script = `
    const { ProcessFencing } = await import(${JSON.stringify(built)});
    const { plain, observation, nodes } = ${JSON.stringify({ plain, observation: observe(), nodes })};
    const fencing = new ProcessFencing({
      ...plain,
      observe: () => observation,
      isWorkloadLockFree: () => false,
      displacedLockPaths: () => [],
      listNodes: () => nodes,
      ownEndedSessions: () => [],
      missesRecordIn: () => false,
      isKept: () => true,
      unseenRemains: () => [],
      cleared: () => undefined,
    });
    const inspection = await fencing.inspect();
    const fence = await fencing.fence({ epoch: 7, run: 'run-of-a', mode: 'kill' });
    const leftovers = await fencing.clearLeftovers({ fenceGraceMs: 20, stopGraceMs: 20 });
    console.log(JSON.stringify({ inspection, fence, leftovers }));`;
  const command = ['--reuid', '65534', '--clear-groups', process.execPath];
  const ran = spawnSync(SETPRIV, [...command, '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  if (ran.status !== 0) throw new Error(ran.stderr);
  // The script above prints exactly this.
  return JSON.parse(ran.stdout) as Answers;
}
