// From loss to promotion: what a secondary does, and what it never does, on real files and sockets.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/until.ts';
import { silentHolder } from './support/silent-holder.ts';
import {
  GROUP,
  count,
  couldTake,
  isHeartbeat,
  place,
  primary,
  primaryLock,
  promotions,
  recordingTransport,
  secondary,
  started,
} from './support/watchers.ts';

describe('a secondary without a promote callback', () => {
  it('never takes the lease: not after a shutdown, not after any silence', async () => {
    const at = place();
    const first = await started(primary(at, { nodeId: 'a' }));
    const bus = recordingTransport(at);
    const { watcher, transitions } = await started(secondary(at, { nodeId: 'b', bus }));
    await until('the first heartbeat', () => bus.heard.some(isHeartbeat));
    await first.watcher.shutdown();
    await until('the shutdown', () => bus.heard.some(({ type }) => type === 'shutdown-received'));
    const lock = primaryLock(at);
    const begun = watcher.status()?.uptimeMs ?? 0;
    let looks = 0;
    await until('several timeouts', () => {
      expect(couldTake(lock)).toBe(true);
      looks += 1;
      return (watcher.status()?.uptimeMs ?? 0) > begun + 500;
    });
    expect(looks).toBeGreaterThan(5);
    expect(transitions.map(({ role }) => role)).not.toContain('candidate');
    expect(watcher.formatStatus()).toContain('would take over: no');
    await expect(watcher.checkAndMaybeFailover()).rejects.toMatchObject({
      code: 'FAILOVER_NO_PRIMARY',
    });
  });

  it('takes over once it is given one', async () => {
    const at = place();
    const { watcher, transitions } = await started(secondary(at));
    await until('its wait', () => transitions.some(({ to }) => to === 'waiting'));
    const { promote, epochs } = promotions();
    watcher.setPromoteCallback(promote);
    await until('the promotion', () => watcher.isPrimary);
    expect(epochs).toEqual([1]);
  });
});

describe('what it is told while it starts', () => {
  it('counts: disabled, it makes no attempt', async () => {
    const { promote, epochs } = promotions();
    const { watcher, transitions } = secondary(place(), { promote });
    const start = watcher.start();
    watcher.setEnabled(false);
    await start;
    const outcomes = ['waiting', 'acquiring'];
    await until('its decision', () => transitions.some(({ to }) => outcomes.includes(to)));
    expect(transitions.map(({ role }) => role)).not.toContain('candidate');
    expect(epochs).toEqual([]);
  });

  it('counts: with a promote callback, it takes over', async () => {
    const { watcher } = secondary(place());
    const { promote, epochs } = promotions();
    const start = watcher.start();
    watcher.setPromoteCallback(promote);
    await start;
    await until('the promotion', () => watcher.isPrimary);
    expect(epochs).toEqual([1]);
  });
});

describe('a lease that stays held', () => {
  it('is lost by no attempt: no callback while it is held, one once it is free', async () => {
    const at = place();
    const holder = await silentHolder(at, { run: 'somebody-else' });
    const { promote, epochs } = promotions();
    const { watcher, transitions, warnings } = await started(secondary(at, { promote }));
    await until('three attempts', () => count(transitions, 'waiting') >= 3);
    expect(epochs).toEqual([]);
    expect(watcher.role).toBe('secondary');
    expect(warnings.join()).toContain('silent');
    await holder.lease.release();
    await until('the promotion', () => watcher.isPrimary);
    expect(epochs).toEqual([holder.epoch + 1]);
  });

  it('is waited for although a shutdown was announced', async () => {
    const at = place();
    const holder = await silentHolder(at);
    const bus = recordingTransport(at);
    const { promote, epochs } = promotions();
    const { watcher, transitions } = await started(
      secondary(at, { promote, bus, heartbeatTimeoutMs: 60_000 }),
    );
    await until('the shutdown', () => {
      holder.bus.publish({
        kind: 'shutdown',
        epoch: holder.epoch,
        reason: 'a test',
        successor: null,
        completed: false,
        planned: true,
        workloadEndedAgoMs: 0,
      });
      return count(transitions, 'acquiring') > 0;
    });
    await until('the denial', () => transitions.at(-1)?.role === 'secondary');
    expect(epochs).toEqual([]);
    await holder.lease.release();
    await until('the promotion', () => watcher.isPrimary);
    expect(epochs).toEqual([holder.epoch + 1]);
  });

  it('is no primary to check: the error says that probe and promotion failed', async () => {
    const at = place();
    await silentHolder(at, { run: 'somebody-else' });
    const { promote, epochs } = promotions();
    const { watcher } = await started(
      secondary(at, { promote, probePrimary: () => Promise.resolve(false) }),
    );
    await until('the holder', () => watcher.status()?.primary === 'holder');
    await expect(watcher.checkAndMaybeFailover()).rejects.toMatchObject({
      code: 'FAILOVER_NO_PRIMARY',
    });
    expect(epochs).toEqual([]);
  });

  it('keeps newcomers out also when its record is unreadable, and that is said', async () => {
    const at = place();
    const holder = await silentHolder(at);
    writeFileSync(join(at.stateDir, GROUP, 'epochs', String(holder.epoch)), '{ not a record');
    const { promote, epochs } = promotions();
    const { watcher, transitions, warnings } = await started(secondary(at, { promote }));
    await until('an attempt', () => count(transitions, 'waiting') > 0);
    expect(watcher.role).toBe('secondary');
    expect(epochs).toEqual([]);
    expect(warnings.join()).toMatch(/can ?not be read/);
    const { watcher: other } = primary(at);
    await expect(other.start()).rejects.toMatchObject({ code: 'FAILOVER_LEASE_HELD' });
  });
});

describe('a promotion that fails', () => {
  it('is tried again for as long as it takes, with the lease free in between', async () => {
    const at = place();
    const { promote, epochs } = promotions(5);
    const { watcher } = secondary(at, { promote });
    const lock = primaryLock(at);
    const free: boolean[] = [];
    watcher.on('transition', ({ to }) => {
      if (to === 'waiting') free.push(couldTake(lock));
    });
    await watcher.start();
    await until('the promotion', () => watcher.isPrimary);
    expect(epochs).toEqual([1, 2, 3, 4, 5, 6]);
    expect(free).toEqual([true, true, true, true, true]);
  });

  it('is one that takes too long: its signal is aborted and the lease is free again', async () => {
    const at = place();
    const reasons: unknown[] = [];
    const { watcher, transitions } = secondary(at, {
      promoteTimeoutMs: 30,
      promote: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason);
            // Whoever heeds the signal may say so in words of its own.
            reject(new Error('gave up'));
          });
        }),
    });
    await watcher.start();
    await until('two attempts', () => count(transitions, 'waiting') >= 2);
    watcher.setEnabled(false);
    await until('a wait', () => transitions.at(-1)?.to === 'waiting');
    expect(String(reasons[0])).toContain('not done within 30ms');
    expect(transitions.map(({ role }) => role)).not.toContain('primary');
    expect(couldTake(primaryLock(at))).toBe(true);
  });

  it('and never ends keeps neither the lease nor the watcher, and runs once at a time', async () => {
    const at = place();
    let calls = 0;
    let let_go: () => void = () => undefined;
    const { watcher, transitions, warnings } = secondary(at, {
      promoteTimeoutMs: 30,
      stopGraceMs: 30,
      promote: () => {
        calls += 1;
        if (calls > 1) return Promise.resolve();
        return new Promise<void>((resolve) => (let_go = resolve));
      },
    });
    await watcher.start();
    await until('three attempts', () => count(transitions, 'waiting') >= 3);
    expect(calls).toBe(1);
    expect(warnings.join()).toContain('is still running');
    expect(warnings.join()).toContain('of an earlier term');
    let_go();
    await until('the promotion', () => watcher.isPrimary);
    expect(calls).toBe(2);
  });

  it('because its address is busy succeeds once that is free', async () => {
    const at = place();
    const busy = await listen(0);
    // Listening on TCP, so the address is one with a port.
    const { port } = busy.address() as AddressInfo;
    let attempts = 0;
    const { watcher } = secondary(at, {
      promote: async () => {
        attempts += 1;
        await listen(port);
      },
    });
    await watcher.start();
    await until('two attempts', () => attempts >= 2);
    expect(watcher.isPrimary).toBe(false);
    busy.close();
    await until('the promotion', () => watcher.isPrimary);
  });
});

describe('disabled', () => {
  it('it makes no attempt; enabled again it takes over', async () => {
    const at = place();
    const { promote, epochs } = promotions();
    const { watcher, transitions } = await started(secondary(at, { promote, enabled: false }));
    await until('300 ms', () => (watcher.status()?.uptimeMs ?? 0) >= 300);
    expect(epochs).toEqual([]);
    expect(transitions.map(({ role }) => role)).not.toContain('candidate');
    watcher.setEnabled(true);
    await until('the promotion', () => watcher.isPrimary);
    expect(epochs).toEqual([1]);
  });

  it('it is by a lease that names another node, whatever its program says', async () => {
    const { promote, epochs } = promotions();
    // As from a program without types.
    const named = { promote, lease: 'static:another' } as object;
    const { watcher, transitions } = await started(secondary(place(), named));
    watcher.setEnabled(true);
    await until('300 ms', () => (watcher.status()?.uptimeMs ?? 0) >= 300);
    expect(watcher.status()?.unwillingBecause).toBe('it is barred from leading');
    expect(transitions.map(({ role }) => role)).not.toContain('candidate');
    expect(epochs).toEqual([]);
  });

  it('it follows one primary after the other and is never promoted', async () => {
    const at = place();
    const first = await started(primary(at, { nodeId: 'a' }));
    const idle = promotions();
    const { watcher: paused } = secondary(at, {
      nodeId: 'paused',
      promote: idle.promote,
      enabled: false,
    });
    const { watcher: willing } = secondary(at, { nodeId: 'b', promote: promotions().promote });
    await Promise.all([paused.start(), willing.start()]);
    await until('the first primary', () => paused.status()?.primary === 'a');
    await first.watcher.shutdown();
    await until('the next primary', () => paused.status()?.primary === 'b');
    // It is named from its claim on, before its promotion is done.
    await until('the promotion', () => willing.isPrimary);
    await willing.shutdown();
    await until('nobody', () => paused.status()?.phase === 'waiting');
    expect(idle.epochs).toEqual([]);
  });
});

/** A TCP server on a port of this machine, closed after the test. @throws EADDRINUSE */
async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return server;
}
