// The turn of a node to register: what it has looked for is still so when its record is there.
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { tryLock } from 'fs-native-extensions';
import { FailoverError } from '../../errors.ts';
import type { NodeRecord } from '../lease-store.ts';
import { identityOfDescriptor, identityOfPath } from './file-identity.ts';
import type { GroupPaths } from './group-paths.ts';
import { withStorageErrors } from './storage-error.ts';

/**
 * Looks and registers while nobody else does: of two that do so at once each could look before the other is
 * there. The turn of the id has to be had; that of the group is waited for only, so that one node that was
 * stopped in its own keeps no other id out.
 *
 * @param waitMs the longest wait for each of the two; the thread does nothing else meanwhile
 * @throws FAILOVER_NODE_TAKEN when another process is registering that id; FAILOVER_STATE_DIR_*
 */
export function inTurn<T>(
  { registeringLock }: GroupPaths,
  { node, group }: NodeRecord,
  { waitMs, register }: { readonly waitMs: number; readonly register: () => T },
): T {
  const fd = openNamed(registeringLock);
  try {
    takeWithin(fd, GROUP_BYTE, waitMs);
    if (!takeWithin(fd, byteOf(node), waitMs)) {
      throw new FailoverError(
        'FAILOVER_NODE_TAKEN',
        `Cannot start node ${node}: another process is registering that id in group ${group}`,
      );
    }
    return register();
  } finally {
    closeSync(fd);
  }
}

/** What is locked of a file that stays empty. */
const GROUP_BYTE = 0;

/** Another id has another one, but for one in 2 ** 40: that one would have to wait its turn. */
function byteOf(node: string): number {
  return 1 + createHash('sha256').update(node).digest().readUIntBE(0, ID_BYTES);
}

const ID_BYTES = 5;

/** The file that has the name: it may be removed and made anew between two steps. */
function openNamed(path: string): number {
  return withStorageErrors(`open ${path}`, () => {
    for (let attempt = 1; ; attempt += 1) {
      const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK, 0o600);
      if (identityOfPath(path) === identityOfDescriptor(fd) || attempt === ATTEMPTS) return fd;
      closeSync(fd);
    }
  });
}

const ATTEMPTS = 5;

function takeWithin(fd: number, byte: number, waitMs: number): boolean {
  const until = performance.now() + waitMs;
  while (!tryLock(fd, byte, 1)) {
    if (performance.now() >= until) return false;
    Atomics.wait(pause, 0, 0, LOOK_INTERVAL_MS);
  }
  return true;
}

const pause = new Int32Array(new SharedArrayBuffer(4));

const LOOK_INTERVAL_MS = 2;
