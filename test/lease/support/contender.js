// One process that takes the lease again and again. Arguments: state directory, node, rounds, how.
import { appendFileSync, closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openLease } from './open-lease.js';

const [stateDir = '', node = '', rounds = '0', ending = ''] = process.argv.slice(2);

const lease = openLease(stateDir, node);

for (let round = 0; round < Number(rounds);) {
  const outcome = await lease.acquire(0);
  if (outcome.type !== 'granted') {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
    continue;
  }
  round += 1;
  if (ending === 'hold') {
    lease.cleared();
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
