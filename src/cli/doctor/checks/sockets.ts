// Whether nodes can have their sockets here: how long their paths are, and by binding one.
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import {
  endpointsIn,
  ensurePrivateDirectory,
  pathOfEndpoint,
  randomSocketName,
  socketFileError,
  SOCKET_PATH_LIMIT_BYTES,
} from '../../../transport/endpoints.ts';
import { ok } from '../check.ts';
import type { Check, Finding } from '../check.ts';
import type { Place } from '../place.ts';

export const SOCKET_CHECKS: readonly Check[] = [
  {
    id: 'socket-path',
    question: 'Is the socket path short enough for the system?',
    run: ({ runtimeDir }) => {
      const length = String(Buffer.byteLength(pathIn(runtimeDir)));
      const limit = String(SOCKET_PATH_LIMIT_BYTES);
      return ok(`A socket in ${runtimeDir} has a path of ${length} of ${limit} bytes`);
    },
  },
  { id: 'socket', question: 'Can a socket be bound in the runtime directory?', run: bind },
];

/** @throws FAILOVER_PATH_TOO_LONG */
function pathIn(directory: string): string {
  return pathOfEndpoint(endpointsIn(directory, randomSocketName()).rpc) ?? '';
}

async function bind({ runtimeDir, workshop }: Place): Promise<Finding> {
  const path = pathIn(runtimeDir);
  workshop.onClear(() => {
    rmSync(path, { force: true });
  });
  // It stays, as that of a node does: one that starts at this moment may be about to use it.
  ensurePrivateDirectory(runtimeDir);
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(socketFileError(path, error) ?? error);
    });
    server.listen(path, resolve);
  });
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  return ok(`A socket can be bound in ${runtimeDir}`);
}
