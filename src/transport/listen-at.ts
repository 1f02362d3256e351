// Makes a server listen, with a queue that a burst of connections fits in, and says in our words why it can't.
import type { Server } from 'node:net';
import type { ListenAddress } from '../config/proxy-address.ts';
import { FailoverError } from '../errors.ts';

/** While the process is busy with a thousand requests a thousand more may connect. The system may allow fewer. */
const BACKLOG = 4096;

/**
 * Resolves with the port. `option` is the one that gave the address.
 *
 * @throws FAILOVER_ADDRESS_IN_USE, FAILOVER_NOT_PERMITTED, FAILOVER_BAD_OPTION for an address that is not this machine's
 */
export async function listenAt(
  server: Server,
  { host, port }: ListenAddress,
  option = '--listen',
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(failureOf(error, { shown: `${host ?? '*'}:${String(port)}`, option }));
    };
    server.once('error', fail);
    server.listen({ port, backlog: BACKLOG, ...(host === null ? {} : { host }) }, () => {
      server.off('error', fail);
      resolve();
    });
  });
  const address = server.address();
  return address === null || typeof address === 'string' ? port : address.port;
}

function failureOf(
  error: NodeJS.ErrnoException,
  { shown, option }: { readonly shown: string; readonly option: string },
): FailoverError {
  const { code } = error;
  if (code === 'EADDRINUSE') {
    const message = `Cannot listen on ${shown}: the address is in use`;
    return new FailoverError('FAILOVER_ADDRESS_IN_USE', message, { cause: error });
  }
  if (code === 'EACCES') {
    const message = `Cannot listen on ${shown}: permission denied`;
    const hint = 'Use a port of 1024 or above, or run it as a user who may listen there.';
    return new FailoverError('FAILOVER_NOT_PERMITTED', message, { cause: error, hint });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const message = `Cannot listen on ${shown}: this machine has no such address`;
    return new FailoverError('FAILOVER_BAD_OPTION', message, {
      cause: error,
      details: { option, expected: 'an address of this machine, or :PORT for all' },
    });
  }
  return new FailoverError('FAILOVER_UNEXPECTED', `Cannot listen on ${shown}: ${error.message}`, {
    cause: error,
  });
}
