// Another user, as whom only root can try something, and only what that user may read.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const ANOTHER_USER = 65_534;

const OURS = join(import.meta.dirname, '..', '..', 'bin', 'failover.js');

/** Not in a checkout below a private directory: its programs can't be started by another. */
export const mayBeAnotherUser: boolean =
  process.getuid?.() === 0 &&
  spawnSync(process.execPath, ['-e', 'fs.accessSync(process.argv[1])', OURS], {
    uid: ANOTHER_USER,
    gid: ANOTHER_USER,
    stdio: 'ignore',
  }).status === 0;
