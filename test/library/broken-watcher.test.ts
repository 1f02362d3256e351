// A watcher in which something is broken that must never break: it says that it leads no more, and ends.
import { expect, it } from 'vitest';
import { Transport } from '../../src/transport/bus.ts';
import { until } from '../support/until.ts';
import { onTestFinished } from 'vitest';
import type { NodeTransport } from '../../src/transport/node-transport.ts';
import type { Place } from './support/watchers.ts';
import {
  couldTake,
  place,
  primary,
  primaryLock,
  promotions,
  secondary,
} from './support/watchers.ts';

/** Sockets that throw where nothing may throw, from when they are told to. */
function sockets({ socketDir }: Place): NodeTransport & { breaks: boolean } {
  const transport = new Transport({ directory: socketDir });
  onTestFinished(() => transport.close());
  const own = {
    breaks: false,
    endpoints: transport.endpoints,
    counters: () => transport.counters(),
    checkSockets: () => transport.checkSockets(),
    openGroup: (options: Parameters<NodeTransport['openGroup']>[0]) => {
      const bus = transport.openGroup(options);
      return {
        endpoints: bus.endpoints,
        publish: (announcement: Parameters<typeof bus.publish>[0]) => {
          if (own.breaks) throw new Error('no descriptors');
          bus.publish(announcement);
        },
        follow: (holder: Parameters<typeof bus.follow>[0]) => {
          bus.follow(holder);
        },
        probe: (probe: Parameters<typeof bus.probe>[0]) => bus.probe(probe),
        requestDemotion: (request: Parameters<typeof bus.requestDemotion>[0]) =>
          bus.requestDemotion(request),
        close: () => bus.close(),
      };
    },
  };
  return own;
}

it('leads no more before its lease is given back, and has stopped for good', async () => {
  const at = place();
  const bus = sockets(at);
  const lock = primaryLock(at);
  const seen: unknown[] = [];
  const { watcher, warnings } = secondary(at, {
    bus,
    promote: (_, signal) => {
      signal.addEventListener('abort', () => {
        seen.push([watcher.isPrimary, watcher.role, watcher.status()?.phase, couldTake(lock)]);
      });
      return Promise.resolve();
    },
  });
  const roles: string[] = [];
  watcher.on('role', ({ to, reason }) => roles.push(`${to}: ${reason}`));
  const orders: number[] = [];
  watcher.on('ended', ({ exitCode }) => orders.push(exitCode));
  await watcher.start();
  await until('the promotion', () => watcher.isPrimary);
  bus.breaks = true;
  await until('its end', () => orders.length > 0);
  expect(seen).toEqual([[false, 'stopped', 'stopping', false]]);
  expect([watcher.isPrimary, watcher.role, watcher.status()?.phase]).toEqual([
    ...[false, 'stopped', 'stopped'],
  ]);
  expect(watcher.formatStatus()).toContain('stopped');
  expect([orders, roles.at(-1)]).toEqual([[1], 'stopped: no descriptors']);
  expect(warnings).toContain('internal error, exiting at once: no descriptors');
  const next = secondary(at, { nodeId: 'b', promote: promotions().promote });
  await next.watcher.start();
  await until('the next primary', () => next.watcher.isPrimary);
  expect(watcher.isPrimary).toBe(false);
});

it('has failed to start as the primary', async () => {
  const at = place();
  const bus = sockets(at);
  bus.breaks = true;
  const { watcher } = primary(at, { bus });
  await expect(watcher.start()).rejects.toThrow('Cannot start as primary: no descriptors');
  expect(watcher.isPrimary).toBe(false);
});
