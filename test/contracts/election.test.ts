// Elections of the library against a real Redis: who leads, and who never does while another may.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Election } from '../../src/library/election.ts';
import { runElection } from '../../src/library/run-election.ts';
import type { ElectionOptions } from '../../src/library/run-election.ts';
import { RedisLease } from '../../src/library/redis-lease.ts';
import type { RedisLeaseOptions } from '../../src/library/election-options.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { until } from '../support/until.ts';
import { eventually } from './support/claims.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { lackOfRedis, RedisServer } from './support/redis-server.ts';
import { groupName } from './support/stage.ts';

const lack = lackOfRedis();

/** Short for a wait, long for a busy machine. */
const FAST = { ttlMs: 2_000, maxDriftMs: 900, tickMs: 100, requestTimeoutMs: 300 } as const;

/** For what waits for no loss. */
const PATIENT = { maxDriftMs: 1_800, requestTimeoutMs: 1_600 } as const;

/** For what is to hold while the test does something: it lasts longer than that takes on a busy machine. */
const LASTING = { ttlMs: 10_000, maxDriftMs: 9_800 } as const;

describe.runIf(lack === null)('in Redis', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  let project = '';
  const elections: Election[] = [];
  const leases: RedisLease[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
    await server.grownOld(FAST.ttlMs);
    proxy = await FaultProxy.to(() => server.port);
  });
  afterEach(async () => {
    proxy.heal();
    server.thaw();
    await Promise.all(elections.splice(0).map((election) => election.close()));
    await Promise.all(leases.splice(0).map((lease) => lease.close()));
  });
  afterAll(async () => {
    await proxy.close();
    await server.stop();
  });

  const given = (nodeId: string): RedisLeaseOptions => ({
    ...{ ...FAST, project, nodeId },
    url: `redis://127.0.0.1:${String(server.port)}`,
  });

  /** What happened to all nodes of a test, in order. */
  let story: string[] = [];

  const enter = async (
    nodeId: string,
    options: Partial<ElectionOptions> = {},
  ): Promise<Election> => {
    const election = await runElection({
      ...given(nodeId),
      onStart: (signal, { epoch }) => {
        story.push(`${nodeId} starts ${String(epoch)}`);
        signal.addEventListener('abort', () => story.push(`${nodeId} is told`));
      },
      onStop: () => {
        story.push(`${nodeId} stops`);
      },
      ...options,
    });
    election.on('warning', (warning) => story.push(`${nodeId}: ${warning}`));
    elections.push(election);
    return election;
  };
  const begin = (): void => {
    project = groupName();
    story = [];
  };
  const leads = (election: Election): Promise<boolean> =>
    until('the node to lead', () => election.isLeader);

  it('exactly one of several leads, and terms have rising revisions', async () => {
    begin();
    let nodes = await Promise.all(['a', 'b', 'c', 'd'].map((nodeId) => enter(nodeId, PATIENT)));
    for (let epoch = 1; epoch <= 4; epoch += 1) {
      const leader = await until('a leader', () => nodes.find((node) => node.epoch === epoch));
      expect(nodes.filter((node) => node.isLeader)).toEqual([leader]);
      expect((await leader.statistics()).revision).toBe(epoch);
      expect(await leader.close()).toBe(true);
      nodes = nodes.filter((node) => node !== leader);
    }
    const leading = story.filter((line) => / (?:starts|stops)/.test(line));
    // Each has stopped before the next starts.
    expect(leading.map((line) => line.split(' ')[1])).toEqual(
      Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? 'starts' : 'stops')),
    );
  });

  it('another leads after the leader was killed, within its time to live and a tick', async () => {
    begin();
    const module = join(import.meta.dirname, '..', 'support', 'election-process.js');
    const child = spawn(process.execPath, [module, JSON.stringify(given('a'))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    createInterface(child.stdout).on('line', (line) => lines.push(line));
    try {
      const hasLed = (): boolean => lines.some((line) => line.includes('"event":"start"'));
      await until('the first to lead', hasLed, 60_000);
      const b = await enter('b', { strategy: 'priority', priority: 2 });
      child.kill('SIGKILL');
      const killedAt = monotonicNow();
      await leads(b);
      expect(b.epoch).toBeGreaterThan(1);
      // A killed node that was waited for as one that lives would take half a minute; the machine may be busy.
      expect(monotonicNow() - killedAt).toBeLessThan(FAST.ttlMs + FAST.tickMs * 1.2 + 8_000);
    } finally {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
  });

  it('a leader that can renew nothing has stopped before another starts', async () => {
    begin();
    const a = await enter('a', { url: `redis://127.0.0.1:${String(proxy.port)}` });
    await leads(a);
    const b = await enter('b');
    proxy.requests = 'lost';
    await leads(b);
    const acts = story.filter((line) => !line.includes(':'));
    expect(acts.slice(0, 4)).toEqual(['a starts 1', 'a is told', 'a stops', 'b starts 2']);
    expect(a.isLeader).toBe(false);
    proxy.heal();
    expect(await a.close()).toBe(true);
    expect(b.isLeader).toBe(true);
  });

  it('a leader whose start callback fails makes way for another', async () => {
    begin();
    const a = await enter('a', { onStart: () => Promise.reject(new Error('no disk')) });
    await until('its failure', () => story.includes('a: onStart failed: no disk'));
    const b = await enter('b');
    await leads(b);
    expect(a.isLeader).toBe(false);
  });

  it('the lower number leads when two start together, whoever asks first', async () => {
    begin();
    const second = enter('b', { ...PATIENT, strategy: 'priority', priority: 2 });
    const first = await enter('a', { ...PATIENT, strategy: 'priority', priority: 1 });
    await leads(first);
    expect((await second).epoch).toBeNull();
    expect((await first.statistics()).nodes.map(({ nodeId }) => nodeId)).toEqual(['a', 'b']);
    await first.close();
    await leads(await second);
  });

  it('a node of the number 0 never leads', async () => {
    begin();
    const never = await enter('never', { ...PATIENT, priority: 0 });
    const a = await enter('a', PATIENT);
    await leads(a);
    await a.close();
    await enter('b', PATIENT).then(leads);
    expect(story.filter((line) => line.startsWith('never starts'))).toEqual([]);
    expect(never.role).toBe('follower');
  });

  it('nothing happens while the server is away for less than the drift', async () => {
    begin();
    await server.grownOld(LASTING.ttlMs);
    const a = await enter('a', LASTING);
    await leads(a);
    server.freeze();
    await until('its complaint', () => story.find((line) => line.includes('does not answer')));
    server.thaw();
    await eventually(async () => (await a.statistics()).leader === 'a');
    expect([a.isLeader, a.epoch]).toEqual([true, 1]);
    expect(story).not.toContain('a is told');
  });

  it('a leader steps down when the server is away for longer, and leads again by itself', async () => {
    begin();
    const a = await enter('a');
    await leads(a);
    server.freeze();
    await until('its end', () => story.includes('a stops'));
    expect(a.isLeader).toBe(false);
    server.thaw();
    await leads(a);
    expect(a.epoch).toBeGreaterThan(1);
  });

  it('nobody starts beside a start callback that heeds no signal, once the server is back', async () => {
    begin();
    let finish: () => void = () => undefined;
    const a = await enter('a', {
      onStart: () => new Promise<void>((resolve) => (finish = resolve)),
    });
    await leads(a);
    const b = await enter('b');
    server.freeze();
    await until('its step-down', () => a.role === 'stepping-down');
    server.thaw();
    const untilMs = monotonicNow() + 1.5 * FAST.ttlMs;
    await until('more than a time to live to pass', () => {
      expect(b.epoch).toBeNull();
      return monotonicNow() > untilMs;
    });
    expect(a.role).toBe('stepping-down');
    finish();
    await until('another term', () => Math.max(a.epoch ?? 0, b.epoch ?? 0) > 1);
  });

  it('an election is closed twice with one result, and its lease is free then', async () => {
    begin();
    const a = await enter('a', PATIENT);
    await leads(a);
    const results = await Promise.all([a.close(), a.close()]);
    expect(results).toEqual([true, true]);
    const lease = await RedisLease.open({ ...given('b'), ...PATIENT });
    leases.push(lease);
    expect(await lease.acquire()).toEqual({ epoch: 2, previous: 'a' });
    const { leader, nodes, events } = await lease.statistics();
    expect([leader, nodes.map(({ nodeId }) => nodeId)]).toEqual(['b', ['b']]);
    expect(events.map(({ nodeId, action }) => `${nodeId} ${action}`)).toEqual([
      ...['b granted', 'b joined', 'a left', 'a released', 'a granted', 'a joined'],
    ]);
  });
});
