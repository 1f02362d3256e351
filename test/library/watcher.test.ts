// The watcher by itself: its start, its end, and what it says of itself.
import { EventEmitter } from 'node:events';
import { writeFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { initialState } from '../../src/core/state.ts';
import { Watcher } from '../../src/library/watcher.ts';
import { FailoverNode } from '../../src/runtime/failover-node.ts';
import { nodeOptionsOf } from '../../src/library/watcher-options.ts';
import { Transport } from '../../src/transport/bus.ts';
import { uncaught } from '../support/uncaught.ts';
import { until } from '../support/until.ts';
import {
  FAST,
  couldTake,
  place,
  primary,
  primaryLock,
  promotions,
  recordingTransport,
  secondary,
  started,
} from './support/watchers.ts';

it('says of itself that it predicts no takeover, and why', async () => {
  const { watcher } = await started(primary(place()));
  expect(watcher.status()?.takeover).toMatchObject({
    crashMs: null,
    crashUnknownBecause: "its program's callback is not rehearsed",
  });
});

describe('shutting down', () => {
  it('is safe without a start, a second time, and forbids a start afterwards', async () => {
    const { watcher } = secondary(place());
    await watcher.shutdown();
    await watcher.shutdown();
    expect(watcher.role).toBe('stopped');
    expect(watcher.formatStatus()).toContain('shut down');
    await expect(watcher.start()).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
  });

  it('is safe without any sockets', async () => {
    const { watcher } = secondary(place(), { bus: null });
    await watcher.shutdown();
    const { watcher: begun } = await started(primary(place(), { bus: null }));
    await begun.shutdown();
    expect(begun.role).toBe('stopped');
  });

  it('during the start waits for it and leaves nothing open', async () => {
    const at = place();
    const { watcher } = primary(at);
    const start = watcher.start();
    await watcher.shutdown();
    await expect(start).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
    expect(watcher.role).toBe('stopped');
    expect(couldTake(primaryLock(at))).toBe(true);
    expect(readdirSync(at.socketDir)).toEqual([]);
  });

  it('happens when its signal is aborted, and at the end of its scope', async () => {
    const at = place();
    const controller = new AbortController();
    const { watcher } = await started(primary(at, { signal: controller.signal, nodeId: 'a' }));
    controller.abort();
    await until('the end', () => watcher.role === 'stopped');
    await watcher.shutdown();
    let inScope: Watcher;
    {
      await using scoped = Watcher.primary({ ...FAST, ...at, nodeId: 'b' });
      inScope = scoped;
      await scoped.start();
      expect(scoped.isPrimary).toBe(true);
    }
    expect(inScope.role).toBe('stopped');
    expect(couldTake(primaryLock(at))).toBe(true);
  });

  it('with a signal that was aborted before refuses to start', async () => {
    const { watcher } = secondary(place(), { signal: AbortSignal.abort() });
    await expect(watcher.start()).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
    expect(watcher.role).toBe('stopped');
  });

  it('tells the promote and the demote callback, and gives the lease back after them', async () => {
    const at = place();
    const lock = primaryLock(at);
    const order: string[] = [];
    const { watcher } = primary(at, {
      promote: (_, signal) => {
        signal.addEventListener('abort', () => order.push('aborted'));
        return Promise.resolve();
      },
      demote: async ({ epoch }) => {
        order.push(`demoting ${String(epoch)}, held: ${String(!lock.isFree())}`);
        await Promise.resolve();
        order.push('demoted');
      },
    });
    await watcher.start();
    expect(order).toEqual([]);
    await watcher.shutdown();
    expect(order).toEqual(['aborted', 'demoting 1, held: true', 'demoted']);
    expect(couldTake(lock)).toBe(true);
  });

  it('gives a demote callback that never ends its grace and no more', async () => {
    const at = place();
    let limited = false;
    const { watcher, warnings } = primary(at, {
      stopGraceMs: 50,
      demote: (_, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => (limited = true));
        }),
    });
    await watcher.start();
    await watcher.shutdown();
    expect(limited).toBe(true);
    expect(couldTake(primaryLock(at))).toBe(true);
    await until('the warning', () =>
      warnings.some((warning) => warning.includes('is still running')),
    );
  });
});

describe('a primary', () => {
  it('leads once it has started, and has heard no heartbeat', async () => {
    const { watcher } = primary(place(), { nodeId: 'a' });
    expect(watcher.role).toBe('secondary');
    expect(watcher.lastHeartbeat).toBeNull();
    await watcher.start();
    expect(watcher.isPrimary).toBe(true);
    expect(watcher.epoch).toBe(1);
    expect(watcher.lastHeartbeat).toBeNull();
    expect(watcher.formatStatus()).toMatch(/^a in group web: primary, epoch 1, for /);
  });

  it('can not start where another leads, and leaves nothing open then', async () => {
    const at = place();
    const first = await started(primary(at, { nodeId: 'a' }));
    const second = primary(at, { nodeId: 'b' });
    await expect(second.watcher.start()).rejects.toMatchObject({ code: 'FAILOVER_LEASE_HELD' });
    expect(second.watcher.role).toBe('stopped');
    expect(first.watcher.isPrimary).toBe(true);
  });

  it('that ended for another reason is not said to find the lease held, whatever its exit code', async () => {
    const order = { exitCode: 4, reason: 'the node id is taken', immediate: false };
    const node = Object.assign(new EventEmitter(), {
      state: { ...initialState(0, 1), role: 'stopped', phase: 'stopped', order },
      ended: Promise.resolve(order),
      stop: () => undefined,
      setEnabled: () => undefined,
      status: () => null,
    });
    const begin = vi.spyOn(FailoverNode, 'start');
    onTestFinished(() => {
      begin.mockRestore();
    });
    // Of a node no more is used.
    begin.mockResolvedValue(node as unknown as FailoverNode);
    const { watcher } = primary(place());
    await expect(watcher.start()).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
  });

  it('whose promote callback fails has not started', async () => {
    const at = place();
    const { promote, epochs } = promotions(1);
    const { watcher } = primary(at, { promote });
    await expect(watcher.start()).rejects.toMatchObject({ code: 'FAILOVER_PROMOTION_FAILED' });
    expect(epochs).toEqual([1]);
    expect(couldTake(primaryLock(at))).toBe(true);
  });

  it('keeps its lock through garbage collections', async () => {
    const at = place();
    const { watcher } = await started(primary(at));
    setFlagsFromString('--expose-gc');
    // A context that is made after the flag has the function; its result says nothing.
    const collect = runInNewContext('gc') as () => void;
    for (let round = 0; round < 5; round += 1) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(primaryLock(at).isFree()).toBe(false);
    expect(watcher.isPrimary).toBe(true);
  });

  it('steps down when its lock file was replaced, and without a callback does not return', async () => {
    const at = place();
    const { watcher, transitions } = await started(primary(at));
    const path = primaryLock(at).path;
    const { rmSync } = await import('node:fs');
    rmSync(path);
    writeFileSync(path, '');
    await until('the step down', () => transitions.some(({ to }) => to === 'demoting'));
    await until('a wait', () => transitions.at(-1)?.to === 'waiting' && !watcher.isPrimary);
    await until('ten more beats', () => (watcher.status()?.roleForMs ?? 0) > 200);
    expect(watcher.role).toBe('secondary');
    expect(couldTake(primaryLock(at))).toBe(true);
  });
});

describe('starting', () => {
  it('fails loudly without its sockets, and takes no lease', async () => {
    const at = place();
    const notADirectory = `${at.socketDir}-file`;
    writeFileSync(notADirectory, '');
    const { watcher } = primary(at, { socketDir: notADirectory });
    await expect(watcher.start()).rejects.toMatchObject({
      code: 'FAILOVER_STATE_DIR_NOT_A_DIRECTORY',
    });
    expect(watcher.role).toBe('stopped');
    expect(watcher.isPrimary).toBe(false);
    const { watcher: next } = await started(primary(at));
    expect(next.epoch).toBe(1);
  });

  it('fails where the sockets already serve a node of the group, and forgets its own record', async () => {
    const at = place();
    const bus = recordingTransport(at);
    await started(primary(at, { bus, nodeId: 'a' }));
    const second = secondary(at, { bus, nodeId: 'b' });
    await expect(second.watcher.start()).rejects.toMatchObject({ code: 'FAILOVER_NODE_TAKEN' });
    const nodes = (): string[] =>
      readdirSync(join(at.stateDir, 'web', 'nodes')).map((name) =>
        readFileSync(join(at.stateDir, 'web', 'nodes', name), 'utf8'),
      );
    await until('one record', () => nodes().every((text) => !text.includes('"node":"b"')));
    expect(bus.published.length).toBeGreaterThan(0);
  });

  it('shares the sockets of the program, and leaves them open', async () => {
    const at = place();
    const bus = new Transport({ directory: at.socketDir });
    const web = primary(at, { bus });
    const api = primary(at, { bus, group: 'api' });
    await Promise.all([web.watcher.start(), api.watcher.start()]);
    expect(web.watcher.status()?.endpoints).toEqual(api.watcher.status()?.endpoints);
    await web.watcher.shutdown();
    expect(api.watcher.isPrimary).toBe(true);
    const again = await started(primary(at, { bus }));
    await again.watcher.shutdown();
    await api.watcher.shutdown();
    expect(readdirSync(at.socketDir)).toHaveLength(2);
    await bus.close();
    expect(readdirSync(at.socketDir)).toEqual([]);
  });

  it('refuses an option that there is not, a bad value, and a contradiction, before anything opens', () => {
    // What a program without types may hand over.
    const misspelt = { heartbeatTimeout: 80 } as object;
    expect(() => Watcher.secondary(misspelt)).toThrow(/heartbeatTimeout: there is none/);
    expect(() => Watcher.secondary({ heartbeatIntervalMs: -5 })).toThrow(/heartbeat-interval/);
    expect(() => Watcher.secondary({ heartbeatIntervalMs: 100, heartbeatTimeoutMs: 150 })).toThrow(
      /2 × --heartbeat-interval/,
    );
    expect(() => Watcher.primary({ group: '../x' })).toThrow(/--group/);
  });

  it('takes an option that is undefined for one that was left out', () => {
    for (const nothing of [undefined, null]) {
      // What a program without types may hand over.
      const options = { fence: nothing, stopGraceMs: nothing, group: nothing } as object;
      const { fence, stopGraceMs, group } = nodeOptionsOf('secondary', options);
      expect([fence, stopGraceMs, group]).toEqual(['none', 1_000, 'default']);
    }
  });

  it('twice is one start', async () => {
    const { watcher } = primary(place());
    await Promise.all([watcher.start(), watcher.start()]);
    await watcher.start();
    expect(watcher.epoch).toBe(1);
  });

  it('gives watchers of one process different ids', () => {
    const at = place();
    expect(secondary(at).watcher.nodeId).not.toBe(secondary(at).watcher.nodeId);
  });

  it('finds the group under another spelling of its directory', async () => {
    const at = place();
    await started(primary(at, { nodeId: 'a' }));
    const second = await started(
      secondary({ ...at, stateDir: `${at.stateDir}/../state/.` }, { nodeId: 'b' }),
    );
    await until('the primary', () => second.watcher.status()?.primary === 'a');
  });
});

it('tells all that there is also when a listener throws, and starts and ends', async () => {
  const thrown = uncaught();
  const { watcher } = primary(place());
  const fail = (): never => {
    throw new Error('of the program');
  };
  watcher.on('transition', fail);
  const roles: string[] = [];
  watcher.on('role', ({ to }) => {
    roles.push(to);
    throw new Error('of the program');
  });
  const reasons: string[] = [];
  watcher.on('ended', ({ reason }) => reasons.push(reason));
  await watcher.start();
  expect(watcher.isPrimary).toBe(true);
  await watcher.shutdown('enough');
  await until('the end', () => reasons.length > 0);
  expect([roles, reasons]).toEqual([['candidate', 'primary', 'stopped'], ['enough']]);
  await until('the errors', () => thrown.length > roles.length);
});

it('tells each change of role once, with its reason', async () => {
  const changes: string[] = [];
  const { watcher } = primary(place());
  watcher.on('role', ({ from, to, epoch, takeover }) => {
    changes.push(
      `${from} > ${to} at ${String(epoch)}${takeover === null ? '' : ` (${takeover.kind})`}`,
    );
  });
  const orders: number[] = [];
  watcher.on('ended', ({ exitCode }) => orders.push(exitCode));
  await watcher.start();
  await watcher.shutdown('enough');
  await until('the end', () => orders.length > 0);
  expect(changes).toEqual([
    'secondary > candidate at 0',
    'candidate > primary at 1 (start)',
    'primary > stopped at 1',
  ]);
  expect(orders).toEqual([0]);
  expect(watcher.formatStatus()).toContain('enough');
});
