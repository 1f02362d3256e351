// One machine with a node of each group: the leases and registrations of that many nodes in one process, driven as
// nodes drive them.
import { setTimeout as pause } from 'node:timers/promises';
import { parseLease } from '../../../src/config/lease-url.ts';
import type { RemoteStore } from '../../../src/lease/remote-store.ts';
import { monotonicNow } from '../../../src/runtime/clock.ts';
import { loadStore } from '../../../src/runtime/node-lease.ts';
import { recordOf } from '../../contracts/support/stage.ts';

/** What a host is told, as JSON in its arguments. */
export interface HostTask {
  readonly lease: string;
  readonly host: string;
  /** Its nodes lead, each its group; those of others look. */
  readonly leads: boolean;
  readonly groups: number;
  readonly beatMs: number;
}

/** What it has to say: that all of its nodes take part, and afterwards, each time it is asked, what they did since. */
export type HostWord =
  | { readonly type: 'ready' }
  | {
      readonly type: 'did';
      readonly answered: number;
      readonly failed: number;
      /** How long answers were waited for, ms, in order. */
      readonly waitedMs: readonly number[];
    };

/** Far longer than the trial of it: what a busy machine does late is no loss. */
const TTL_MS = 60_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** How many begin at a time: all at once no store has to bear. */
const AT_ONCE = 16;

let failed = 0;
let waitedMs: number[] = [];

await run(JSON.parse(process.argv[2] ?? '') as HostTask); // what the main program wrote

async function run(task: HostTask): Promise<void> {
  await beginAll(task);
  process.on('message', () => {
    const inOrder = waitedMs.sort((one, other) => one - other);
    say({ type: 'did', answered: inOrder.length, failed, waitedMs: inOrder });
    [failed, waitedMs] = [0, []];
  });
  // The main program has ended.
  process.on('disconnect', () => process.exit());
  say({ type: 'ready' });
}

/** Each is driven from its own beginning on: a lease that nobody renews ends. */
async function beginAll(task: HostTask): Promise<void> {
  const { lease, host, leads, groups } = task;
  const address = parseLease(lease);
  if (address.kind !== 'redis' && address.kind !== 'etcd' && address.kind !== 'postgres')
    throw new Error(`no server: ${lease}`);
  const open = await loadStore(address, REQUEST_TIMEOUT_MS);
  const times = { ttlMs: TTL_MS, requestTimeoutMs: REQUEST_TIMEOUT_MS, now: monotonicNow };
  const left = Array.from({ length: groups }, (_, number) =>
    open({ group: `g${String(number)}`, record: recordOf(`${host}-${String(number)}`), ...times }),
  );
  const some = Array.from({ length: AT_ONCE }, async () => {
    for (let store = left.pop(); store !== undefined; store = left.pop()) {
      await store.begin();
      if (leads) await lead(store);
      void drive(store, task);
    }
  });
  await Promise.all(some);
}

async function lead(store: RemoteStore): Promise<void> {
  while ((await store.acquire(0)).type !== 'granted') await pause(100);
}

/** As a node does: a renewal in a tick, give or take a fifth, or a look in a beat. */
async function drive(store: RemoteStore, { leads, beatMs }: HostTask): Promise<void> {
  await pause(Math.random() * beatMs);
  for (let dueMs = monotonicNow(); ;) {
    const askedMs = monotonicNow();
    try {
      if (!leads) await store.look();
      else if ((await store.renew(REQUEST_TIMEOUT_MS)).type !== 'renewed') failed += 1;
      waitedMs.push(monotonicNow() - askedMs);
    } catch {
      failed += 1;
    }
    // What is late is not made up for.
    dueMs = Math.max(dueMs + (leads ? beatMs * (0.85 + 0.35 * Math.random()) : beatMs), askedMs);
    await pause(Math.max(0, dueMs - monotonicNow()));
  }
}

function say(word: HostWord): void {
  process.send?.(word);
}
