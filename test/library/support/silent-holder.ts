// Somebody who holds the lease and says only what the test makes it say.
import { onTestFinished } from 'vitest';
import { FileLease } from '../../../src/lease/file/file-lease.ts';
import type { Bus } from '../../../src/runtime/ports.ts';
import { Transport } from '../../../src/transport/bus.ts';
import { granted, ownRecord } from '../../lease/support/fixtures.ts';
import { GROUP } from './watchers.ts';
import type { Place } from './watchers.ts';

export interface SilentHolder {
  readonly lease: FileLease;
  readonly epoch: number;
  readonly run: string;
  readonly bus: Bus;
}

/** Holds the lease as node `holder`; what it says on the bus carries `run`, by default its own. */
export async function silentHolder(
  { stateDir, socketDir }: Place,
  says: { readonly run?: string; readonly version?: string } = {},
): Promise<SilentHolder> {
  const transport = new Transport({ directory: socketDir });
  onTestFinished(() => transport.close());
  const record = ownRecord('holder', { group: GROUP, endpoints: transport.endpoints });
  const lease = FileLease.open({ stateDir, record });
  onTestFinished(() => lease.close());
  const epoch = await granted(lease.acquire(0));
  const bus = transport.openGroup({
    group: GROUP,
    nodeId: 'holder',
    run: says.run ?? record.run,
    version: says.version ?? '0.0.0-test',
    startedAt: new Date().toISOString(),
    describe: () => ({ epoch, role: 'primary' }),
    onEvent: () => undefined,
    onRequest: () => Promise.resolve({}),
  });
  return { lease, epoch, run: record.run, bus };
}
