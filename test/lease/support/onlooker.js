// A node in a process of its own that looks at the lease once, says the epoch and stays.
import { openLease } from './open-lease.js';

const [stateDir = '', node = ''] = process.argv.slice(2);

const lease = openLease(stateDir, node);
process.stdout.write(`${String(lease.observe().epoch)}\n`);
process.stdin.resume();
