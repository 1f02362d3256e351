// One process that takes the lease again and again. Arguments: state directory, node, rounds, how.
import { appendFileSync, closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ownIdentity } from '../../../dist/fence/process-identity.js';
import { FileLease } from '../../../dist/lease/file/file-lease.js';

const [stateDir = '', node = '', rounds = '0', ending = ''] = process.argv.slice(2);

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

for (let round = 0; round < Number(rounds);) {
  const outcome = await lease.acquire(0);
  if (outcome.type !== 'granted') {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
    continue;
  }
  round += 1;
  if (ending === 'hold') {
    process.stdout.write(`held ${String(outcome.epoch)}\n`);
    await new Promise(() => setInterval(() => undefined, 1000));
  }
  // Fails if anyone else is between its grant and its release.
  closeSync(openSync(join(stateDir, 'active'), 'wx'));
  appendFileSync(join(stateDir, 'epochs.log'), `${String(outcome.epoch)}\n`);
  if (lease.verify().type !== 'held') throw new Error('lost while active');
  rmSync(join(stateDir, 'active'));
  await lease.release();
}
await lease.close();
