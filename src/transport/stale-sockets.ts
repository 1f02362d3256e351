// Removes the socket files of processes that were killed: they can't do it themselves.
import { lstat, readFile, readdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

/**
 * Removes files in the directory that are named like ours and that nobody listens at. Only tidies up:
 * whatever it can't look at stays, and it never rejects.
 */
export async function removeStaleSockets(directory: string): Promise<void> {
  try {
    const names = (await readdir(directory)).filter((name) => SOCKET_NAME.test(name));
    if (names.length === 0) return;
    const listening = await readFile('/proc/net/unix', 'utf8').catch(() => '');
    const unlisted = names.filter((name) => !listening.includes(`/${name}\n`));
    for (const name of unlisted.slice(0, LOOK_LIMIT)) await removeIfStale(join(directory, name));
  } catch {
    // The next start tries again.
  }
}

async function removeIfStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found?.isSocket() !== true) return;
  // A socket refuses connections for a moment after it appeared, too.
  const ageMs = Date.now() - Math.max(found.ctimeMs, found.mtimeMs);
  if (ageMs < SETTLED_AFTER_MS) return;
  // The kernel's list is that of this network namespace: another one's processes only the path shows.
  if (await isRefused(path)) await unlink(path).catch(() => undefined);
}

/** Whether nobody listens at this socket. */
function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED');
    });
  });
}

const SOCKET_NAME = /^[0-9a-f]{8}\.(?:bus|rpc)$/;

/** How many files one start looks at: the rest is for the next ones. */
const LOOK_LIMIT = 64;

const SETTLED_AFTER_MS = 10_000;
