// One check of a port: a connection that is accepted passes.
import { connect } from 'node:net';
import { networkFault } from './check-result.ts';
import type { Fault } from './check-result.ts';

/** Nothing is sent over the connection. Never rejects; ends when its signal aborts. */
export function checkTcp(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Fault | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (fault: Fault | null): void => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(fault);
    };
    const abort = (): void => {
      end({ reason: 'cancelled', error: 'it was cancelled' });
    };
    signal.addEventListener('abort', abort);
    socket.once('connect', () => {
      end(null);
    });
    socket.on('error', (error) => {
      end(networkFault(error));
    });
  });
}
