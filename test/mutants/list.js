// Every deliberate fault, by subject.
import { ANNOUNCING } from './announcing.js';
import { CLAIMS } from './claims.js';
import { DRAINING } from './draining.js';
import { EPOCHS } from './epochs.js';
import { FENCING } from './fencing.js';
import { GUARD } from './guard.js';
import { HEALTH } from './health.js';
import { IDS } from './ids.js';
import { LEASE } from './lease.js';
import { LEASE_TERM } from './lease-term.js';
import { ORDER } from './order.js';
import { PEERS } from './peers.js';
import { PROXYING } from './proxying.js';
import { REQUESTS } from './requests.js';
import { RUNNING } from './running.js';
import { SHARED_FILES } from './shared-files.js';
import { STARTING } from './starting.js';
import { TALKING } from './talking.js';
import { WATCHING } from './watching.js';

/** @type {readonly import('./mutant.js').Mutant[]} */
export const MUTANTS = [
  ...STARTING,
  ...RUNNING,
  ...FENCING,
  ...LEASE,
  ...LEASE_TERM,
  ...IDS,
  ...SHARED_FILES,
  ...GUARD,
  ...CLAIMS,
  ...EPOCHS,
  ...ANNOUNCING,
  ...DRAINING,
  ...WATCHING,
  ...REQUESTS,
  ...ORDER,
  ...HEALTH,
  ...TALKING,
  ...PEERS,
  ...PROXYING,
];
