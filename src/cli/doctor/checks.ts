// All that `failover doctor` looks at, in the order in which it tells it: a new check is a row in one of these.
import type { Check } from './check.ts';
import { CLOCK_CHECKS } from './checks/clocks.ts';
import { FILE_CHECKS } from './checks/files.ts';
import { GROUP_CHECKS } from './checks/group.ts';
import { LIMIT_CHECKS } from './checks/limits.ts';
import { LOCK_CHECKS } from './checks/locks.ts';
import { PROCESS_CHECKS } from './checks/processes.ts';
import { SOCKET_CHECKS } from './checks/sockets.ts';
import { SOFTWARE_CHECKS } from './checks/software.ts';
import { STATE_DIRECTORY_CHECKS } from './checks/state-directory.ts';
import { STORE_CHECKS } from './checks/store.ts';

export const CHECKS: readonly Check[] = [
  ...SOFTWARE_CHECKS,
  ...STATE_DIRECTORY_CHECKS,
  ...LOCK_CHECKS,
  ...SOCKET_CHECKS,
  ...PROCESS_CHECKS,
  ...LIMIT_CHECKS,
  ...CLOCK_CHECKS,
  ...FILE_CHECKS,
  ...STORE_CHECKS,
  ...GROUP_CHECKS,
];
