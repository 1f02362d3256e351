// What a promoted watcher says, what the others make of it, and the order of a handover.
import { mkdirSync, rmSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Transport } from '../../src/transport/bus.ts';
import { until } from '../support/until.ts';
import { silentHolder } from './support/silent-holder.ts';
import {
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

describe('a promoted secondary', () => {
  it('publishes heartbeats, its promotion, and its shutdown exactly once', async () => {
    const at = place();
    const bus = recordingTransport(at);
    const { watcher } = await started(secondary(at, { promote: promotions().promote, bus }));
    const kinds = (): string[] => bus.published.map(({ kind }) => kind);
    await until('two heartbeats', () => {
      const promoted = kinds().indexOf('promoted');
      const later = kinds().slice(promoted);
      return promoted >= 0 && later.filter((kind) => kind === 'heartbeat').length >= 2;
    });
    await watcher.shutdown();
    await watcher.shutdown();
    expect(kinds().filter((kind) => kind === 'promoted')).toHaveLength(1);
    expect(kinds().filter((kind) => kind === 'shutdown')).toHaveLength(1);
  });

  it('is followed and heard by the others at its own addresses', async () => {
    const at = place();
    const first = await started(primary(at, { nodeId: 'a' }));
    const bus = recordingTransport(at);
    const observer = secondary(at, { nodeId: 'observer', bus });
    const next = secondary(at, { nodeId: 'b', promote: promotions().promote });
    await Promise.all([observer.watcher.start(), next.watcher.start()]);
    await until('a', () => bus.heard.some((event) => isHeartbeat(event) && event.node === 'a'));
    await first.watcher.shutdown();
    await until('b', () => bus.heard.some((event) => isHeartbeat(event) && event.node === 'b'));
    const addresses = next.watcher.status()?.endpoints;
    expect(bus.followed.at(-1)).toMatchObject({ node: 'b', endpoints: addresses });
    expect(observer.watcher.lastHeartbeat?.getTime()).toBeGreaterThan(0);
  });

  it('is followed at the addresses that its callback returned', async () => {
    const at = place();
    const elsewhere = new Transport({ directory: at.socketDir });
    onTestFinished(() => elsewhere.close());
    const bus = recordingTransport(at);
    await started(secondary(at, { nodeId: 'observer', bus }));
    await started(
      secondary(at, {
        nodeId: 'b',
        promote: () => Promise.resolve(elsewhere.endpoints),
      }),
    );
    await until(
      'the new addresses',
      () => bus.followed.at(-1)?.endpoints.bus === elsewhere.endpoints.bus,
    );
    expect(bus.followed.at(-1)).toMatchObject({ node: 'b', endpoints: elsewhere.endpoints });
    const newcomer = recordingTransport(at);
    await started(secondary(at, { nodeId: 'late', bus: newcomer }));
    await until('the holder', () => newcomer.followed.at(-1)?.node === 'b');
    expect(newcomer.followed.at(-1)?.endpoints).toEqual(elsewhere.endpoints);
  });
});

describe('the handover', () => {
  it('frees the lock before a subscriber hears of the shutdown', async () => {
    const at = place();
    const lock = primaryLock(at);
    const first = await started(primary(at, { nodeId: 'a' }));
    const free: boolean[] = [];
    const bus = recordingTransport(at, ({ type }) => {
      if (type === 'shutdown-received') free.push(couldTake(lock));
    });
    const { watcher } = await started(secondary(at, { bus }));
    await until('the first heartbeat', () => bus.heard.some(isHeartbeat));
    await first.watcher.shutdown();
    await first.watcher.shutdown();
    await until('the shutdown', () => free.length > 0);
    await until('more beats', () => watcher.status()?.phase === 'waiting');
    expect(free).toEqual([true]);
  });

  it('is followed by no promotion: a check is refused once it has begun', async () => {
    const at = place();
    const { promote, epochs } = promotions();
    const { watcher } = secondary(at, { promote });
    await expect(watcher.checkAndMaybeFailover()).rejects.toMatchObject({
      code: 'FAILOVER_REFUSED',
    });
    await watcher.start();
    await until('the promotion', () => watcher.isPrimary);
    const end = watcher.shutdown();
    await expect(watcher.checkAndMaybeFailover()).rejects.toMatchObject({
      code: 'FAILOVER_REFUSED',
    });
    watcher.setEnabled(true);
    await end;
    expect(epochs).toEqual([1]);
    expect(couldTake(primaryLock(at))).toBe(true);
  });

  it('leaves no primary only for as long as nobody is there to lead', async () => {
    const at = place();
    const first = await started(primary(at, { nodeId: 'a' }));
    await first.watcher.shutdown();
    const { watcher } = await started(secondary(at, { promote: promotions().promote }));
    await until('the promotion', () => watcher.isPrimary);
    expect(watcher.epoch).toBe(2);
  });
});

describe('checking', () => {
  it('is answered on the primary, by a primary that lives, and by a promotion', async () => {
    const at = place();
    const first = await started(primary(at, { nodeId: 'a' }));
    expect((await first.watcher.checkAndMaybeFailover()).takeover).toBeNull();
    const { promote, epochs } = promotions();
    const { watcher } = await started(secondary(at, { nodeId: 'b', promote }));
    await until('the primary', () => watcher.status()?.primary === 'a');
    expect((await watcher.checkAndMaybeFailover()).takeover).toBeNull();
    expect(epochs).toEqual([]);
    watcher.setEnabled(false);
    await first.watcher.shutdown();
    await until('its wait', () => watcher.status()?.phase === 'waiting');
    watcher.setEnabled(true);
    await watcher.checkAndMaybeFailover();
    expect(watcher.isPrimary).toBe(true);
    expect(epochs).toHaveLength(1);
  });

  it('asks the function of the program, within the limit of a probe', async () => {
    const at = place();
    // It sends no heartbeats and touches nothing: only the probe speaks for it.
    await silentHolder(at, { run: 'somebody-else' });
    const signals: AbortSignal[] = [];
    let answer: Promise<void> = Promise.resolve();
    const { watcher, warnings } = secondary(at, {
      probePrimary: (signal) => {
        signals.push(signal);
        return answer;
      },
    });
    await watcher.start();
    await until('five probes', () => signals.length >= 5);
    expect(warnings).toEqual([]);
    expect(watcher.status()?.primary).toBe('holder');
    answer = new Promise(() => undefined);
    await until('the end of its patience', () => signals.some(({ aborted }) => aborted));
    await until('the warning', () => warnings.join().includes('silent'));
    watcher.setProbePrimary(() => Promise.resolve(true));
    await expect(watcher.checkAndMaybeFailover()).resolves.toMatchObject({ takeover: null });
  });
});

describe('what it hears', () => {
  it('resets its patience only when the holder of the lease said it', async () => {
    const at = place();
    // The same socket, the same node id, and a run that is deposed.
    const holder = await silentHolder(at, { run: 'deposed' });
    const bus = recordingTransport(at);
    const { warnings } = await started(secondary(at, { bus, promote: promotions().promote }));
    await until('the warning', () => {
      holder.bus.publish({
        kind: 'heartbeat',
        epoch: holder.epoch,
        phase: 'primary',
        uptimeMs: 1,
        succession: [],
        lastTakeover: null,
      });
      return warnings.join().includes('silent');
    });
    expect(bus.heard.filter(isHeartbeat)).toEqual([]);
    expect(bus.counters().rejected['foreign-node']).toBeGreaterThan(0);
  });

  it('of another version is said', async () => {
    const at = place();
    await silentHolder(at, { version: '9.9.9' });
    const { warnings } = await started(secondary(at));
    await until('the warning', () => warnings.some((warning) => warning.includes('9.9.9')));
  });
});

it('without sockets learns from the lease alone', async () => {
  const at = place();
  const first = await started(primary(at, { nodeId: 'a', bus: null }));
  const { promote, epochs } = promotions();
  const { watcher, transitions } = await started(
    secondary(at, { nodeId: 'b', bus: null, promote }),
  );
  await until('the primary', () => watcher.status()?.primary === 'a');
  await until('several timeouts', () => (watcher.status()?.uptimeMs ?? 0) > 400);
  expect(transitions.map(({ role }) => role)).not.toContain('candidate');
  await first.watcher.shutdown();
  await until('the promotion', () => watcher.isPrimary);
  expect(epochs).toEqual([2]);
});

it('goes on when its state directory was removed, under an epoch that goes on too', async () => {
  const at = place();
  const { promote, epochs } = promotions();
  const { watcher, transitions } = await started(secondary(at, { promote }));
  await until('the promotion', () => watcher.isPrimary);
  rmSync(at.stateDir, { recursive: true });
  mkdirSync(at.stateDir, { mode: 0o700 });
  await until('the step down', () => count(transitions, 'demoting') > 0);
  await until('the next promotion', () => watcher.isPrimary && epochs.length > 1);
  expect(epochs).toEqual([1, 2]);
});
