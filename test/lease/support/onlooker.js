// A node in a process of its own that looks at the lease once for each line it is given, and says the epoch.
import { createInterface } from 'node:readline';
import { ownIdentity } from '../../../dist/fence/process-identity.js';
import { FileLease } from '../../../dist/lease/file/file-lease.js';

const [stateDir = '', node = ''] = process.argv.slice(2);

const lease = FileLease.open({
  stateDir,
  record: {
    node,
    run: `run-${String(process.pid)}`,
    group: 'web',
    version: '0.1.0',
    host: 'test-host',
    supervisor: ownIdentity(),
    endpoints: { bus: 'ipc:///tmp/bus', rpc: 'ipc:///tmp/rpc' },
    standby: 'cold',
    priority: 100,
    startedAt: new Date().toISOString(),
    startedAtMonotonicMs: Number(process.hrtime.bigint()) / 1e6,
  },
});

const look = () => process.stdout.write(`${String(lease.observe().epoch)}\n`);
look();
createInterface({ input: process.stdin }).on('line', look);
