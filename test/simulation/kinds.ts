// The trouble that the core is known to survive.
import { FAULT_KINDS } from '../../src/simulation/faults.ts';
import type { FaultKind } from '../../src/simulation/faults.ts';

/** Without the removal of the state directory: see the open regressions. */
export const KINDS: readonly FaultKind[] = FAULT_KINDS.filter(
  (kind) => kind !== 'remove-directory',
);
