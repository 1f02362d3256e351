// A lease of this process, for scripts that tests run as processes of their own.
import { ownIdentity } from '../../../dist/fence/process-identity.js';
import { FileLease } from '../../../dist/lease/file/file-lease.js';

/**
 * @param {string} stateDir
 * @param {string} node
 * @returns {FileLease}
 */
export function openLease(stateDir, node) {
  return FileLease.open({
    stateDir,
    record: {
      node,
      run: `run-${String(process.pid)}`,
      group: 'web',
      version: '0.1.0',
      host: 'test-host',
      supervisor: ownIdentity(),
      endsNamespace: false,
      endpoints: { bus: 'ipc:///tmp/bus', rpc: 'ipc:///tmp/rpc' },
      standby: 'cold',
      priority: 100,
      startedAt: new Date().toISOString(),
      startedAtMonotonicMs: Number(process.hrtime.bigint()) / 1e6,
    },
  });
}
