// Watchers with real files and sockets in directories of their own; all are shut down after the test.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFailed, onTestFinished } from 'vitest';
import type { Announcement } from '../../../src/core/effect.ts';
import type { LeaseHolder } from '../../../src/core/state.ts';
import { KernelLock } from '../../../src/lease/file/kernel-lock.ts';
import { Watcher } from '../../../src/library/watcher.ts';
import type { WatcherOptions } from '../../../src/library/watcher-options.ts';
import type { NodeTransition } from '../../../src/runtime/narrator.ts';
import type { BusEvent } from '../../../src/runtime/ports.ts';
import { Transport } from '../../../src/transport/bus.ts';
import type { NodeTransport } from '../../../src/transport/node-transport.ts';

export const GROUP = 'web';

/** Fast enough for tests; nothing in them depends on how fast. */
export const FAST = {
  group: GROUP,
  heartbeatIntervalMs: 20,
  heartbeatTimeoutMs: 80,
  retryBackoffMinMs: 40,
  retryBackoffMaxMs: 80,
  probeTimeoutMs: 100,
} as const;

export interface Place {
  readonly stateDir: string;
  readonly socketDir: string;
}

/** State and sockets of one test. */
export function place(): Place {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fow-')));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return { stateDir: join(directory, 'state'), socketDir: join(directory, 'run') };
}

/** A watcher and what it said. */
export interface Seen {
  readonly watcher: Watcher;
  readonly transitions: NodeTransition[];
  readonly warnings: string[];
}

/** A secondary that is shut down after the test. */
export function secondary(at: Place, options: WatcherOptions = {}): Seen {
  return seen(Watcher.secondary({ ...FAST, ...at, ...options }));
}

/** A primary that is shut down after the test. */
export function primary(at: Place, options: WatcherOptions = {}): Seen {
  return seen(Watcher.primary({ ...FAST, ...at, ...options }));
}

/** The same, once it takes part; a primary once it leads. */
export async function started(watched: Seen): Promise<Seen> {
  await watched.watcher.start();
  return watched;
}

function seen(watcher: Watcher): Seen {
  const transitions: NodeTransition[] = [];
  const warnings: string[] = [];
  watcher.on('transition', (transition) => transitions.push(transition));
  watcher.on('warning', (warning) => warnings.push(warning));
  onTestFailed(() => {
    const steps = transitions.map(({ to, reason }) => `  ${to}: ${reason}`);
    process.stderr.write(`${[watcher.formatStatus(), ...steps, ...warnings].join('\n')}\n`);
  });
  onTestFinished(() => watcher.shutdown('the test is over'));
  return { watcher, transitions, warnings };
}

/** The lock that decides, as an observer sees it. */
export function primaryLock({ stateDir }: Place): KernelLock {
  return new KernelLock(join(stateDir, GROUP, 'primary.lock'));
}

/** Whether an observer could take the lease at this moment: it does, and gives it back. */
export function couldTake(lock: KernelLock): boolean {
  const description = lock.open();
  try {
    return description.tryLock();
  } finally {
    description.close();
  }
}

/** A promote callback that counts its calls, and fails the first few. */
export function promotions(failures = 0): {
  readonly epochs: number[];
  readonly promote: NonNullable<WatcherOptions['promote']>;
} {
  const epochs: number[] = [];
  const promote = ({ epoch }: { readonly epoch: number }): Promise<void> => {
    epochs.push(epoch);
    return epochs.length <= failures
      ? Promise.reject(new Error(`attempt ${String(epochs.length)} fails`))
      : Promise.resolve();
  };
  return { epochs, promote };
}

export interface RecordingTransport extends NodeTransport {
  readonly published: Announcement[];
  readonly heard: BusEvent[];
  readonly followed: (LeaseHolder | null)[];
}

/** Real sockets, and a record of what goes through them. `onEvent` sees what arrives before the node. */
export function recordingTransport(
  { socketDir }: Place,
  onEvent: (event: BusEvent) => void = () => undefined,
): RecordingTransport {
  const transport = new Transport({ directory: socketDir });
  onTestFinished(() => transport.close());
  const published: Announcement[] = [];
  const heard: BusEvent[] = [];
  const followed: (LeaseHolder | null)[] = [];
  return {
    published,
    heard,
    followed,
    get endpoints() {
      return transport.endpoints;
    },
    counters: () => transport.counters(),
    checkSockets: () => transport.checkSockets(),
    openGroup: (options) => {
      const bus = transport.openGroup({
        ...options,
        onEvent: (event) => {
          heard.push(event);
          onEvent(event);
          options.onEvent(event);
        },
      });
      return {
        endpoints: bus.endpoints,
        publish: (announcement) => {
          published.push(announcement);
          bus.publish(announcement);
        },
        follow: (holder) => {
          followed.push(holder);
          bus.follow(holder);
        },
        probe: (probe) => bus.probe(probe),
        requestDemotion: (request) => bus.requestDemotion(request),
        close: () => bus.close(),
      };
    },
  };
}

/** How often a watcher entered a phase. */
export function count(transitions: readonly { readonly to: string }[], phase: string): number {
  return transitions.filter(({ to }) => to === phase).length;
}

export function isHeartbeat<Event extends { readonly type: string }>(
  event: Event,
): event is Extract<Event, { type: 'heartbeat-received' }> {
  return event.type === 'heartbeat-received';
}
