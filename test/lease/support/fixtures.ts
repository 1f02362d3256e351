// State directories and leases for the tests of the file lease; all are closed and removed afterwards.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ownIdentity } from '../../../src/fence/process-identity.ts';
import { FileLease } from '../../../src/lease/file/file-lease.ts';
import type { LeaseTurn } from '../../../src/lease/file/file-lease.ts';
import type { LocalGroupEnvironment } from '../../../src/lease/file/local-group.ts';
import type { AcquireOutcome, NodeRecord } from '../../../src/lease/lease-store.ts';

export type OwnRecord = Omit<NodeRecord, 'v' | 'sessions'>;

/** A directory of its own for one test, by its real path. */
export function temporaryDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'failover-lease-')));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

export function ownRecord(node: string, changes: Partial<OwnRecord> = {}): OwnRecord {
  const run = randomBytes(8).toString('hex');
  return {
    node,
    run,
    group: 'web',
    version: '0.1.0',
    host: 'test-host',
    supervisor: ownIdentity(),
    endsNamespace: false,
    endpoints: { bus: `ipc:///tmp/${run}.bus`, rpc: `ipc:///tmp/${run}.rpc` },
    standby: 'cold',
    priority: 100,
    startedAt: new Date().toISOString(),
    startedAtMonotonicMs: Number(process.hrtime.bigint()) / 1e6,
    ...changes,
  };
}

export function openLease(
  stateDir: string,
  node: string,
  options: {
    readonly record?: Partial<OwnRecord>;
    readonly environment?: Partial<LocalGroupEnvironment>;
    readonly turn?: LeaseTurn;
  } = {},
): FileLease {
  const { record, environment = {}, turn = null } = options;
  const lease = FileLease.open({ stateDir, record: ownRecord(node, record), environment }, turn);
  onTestFinished(() => lease.close());
  return lease;
}

/** The epoch of an acquisition that has to be granted. */
export async function granted(outcome: Promise<AcquireOutcome>): Promise<number> {
  const { type, ...rest } = await outcome;
  if (type !== 'granted' || !('epoch' in rest)) throw new Error(JSON.stringify({ type, ...rest }));
  return rest.epoch;
}

/** Resolves with the first value that is not undefined; looks again each turn of the event loop. */
export async function eventually<T>(look: () => T | undefined, limitMs = 10_000): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = look();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error('it did not come to be in time');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
