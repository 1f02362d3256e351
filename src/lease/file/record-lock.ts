// The lock that a node has on its own record as long as it lives: what tells those who can't see its process.
import { closeSync, constants, openSync } from 'node:fs';
import { tryLock } from 'fs-native-extensions';
import { isOutOfResources } from '../../out-of-resources.ts';
import { identityOfDescriptor, identityOfPath } from './file-identity.ts';
import { errnoOf } from './storage-error.ts';

/** On a file that has no name yet: so whoever finds the record finds it locked, until its writer is gone. */
export function lockRecord(fd: number): void {
  if (!tryLock(fd)) throw new Error('a new file is locked already');
}

/**
 * Whether the node of a record lives, in whatever pid namespace: a pid of another one can't be looked up
 * here, but the kernel's locks are those of the machine. It is asked by a shared lock for an instant, which
 * keeps nobody else who asks from it.
 *
 * @throws the system's error when it has nothing left to look with: that is not "gone"
 */
export function isRecordLocked(path: string): boolean {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const answer = askOnce(path);
    if (answer !== 'replaced') return answer === 'locked';
  }
  return true;
}

/** A record is replaced only where it outgrows its page. */
const ATTEMPTS = 5;

function askOnce(path: string): 'locked' | 'free' | 'replaced' {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    // A record that this user may not read may be locked.
    return errnoOf(error) === 'ENOENT' ? 'free' : 'locked';
  }
  try {
    if (!tryLock(fd, { shared: true })) return 'locked';
    // The one that was replaced is free: the lock that counts is on the one that has the name now.
    return identityOfPath(path) === identityOfDescriptor(fd) ? 'free' : 'replaced';
  } finally {
    closeSync(fd);
  }
}
