// One drill of a group at a time: each would take the other's trouble for what came of its own.
import { closeSync, openSync } from 'node:fs';
import { FailoverError } from '../../errors.ts';
import type { GroupPaths } from '../../lease/file/group-paths.ts';
import { KernelLock } from '../../lease/file/kernel-lock.ts';
import { withStorageErrors } from '../../lease/file/storage-error.ts';

/** The right to drill; the kernel gives it back when the process ends, however that is. */
export interface Turn {
  readonly end: () => void;
}

/** @throws FAILOVER_REFUSED while another drill of the group is under way, FAILOVER_STATE_DIR_* */
export function takeTurn({ drillLock }: GroupPaths, group: string): Turn {
  withStorageErrors(`write ${drillLock}`, () => {
    closeSync(openSync(drillLock, 'a', 0o600));
  });
  const description = new KernelLock(drillLock).open();
  const end = (): void => {
    description.close();
  };
  if (description.tryLock()) return { end };
  end();
  throw new FailoverError(
    'FAILOVER_REFUSED',
    `Cannot drill: another drill of group ${group} is in progress`,
    { hint: "Wait for it to finish: each would distort the other's measurements." },
  );
}
