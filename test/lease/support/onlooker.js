// A node in a process of its own that looks at the lease once, says the epoch and stays.
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

process.stdout.write(`${String(lease.observe().epoch)}\n`);
process.stdin.resume();
