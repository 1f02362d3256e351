// What a node's settings make of its sockets: the files with keys and secrets are read here, once.
import { parseAdvertise, parseBind } from '../config/bind.ts';
import type { RunOptions } from '../config/load.ts';
import { AuthorizedKeys } from '../keys/authorized-keys.ts';
import { readKeyFile, readSecretFile } from '../keys/key-files.ts';
import type { TransportOptions } from '../transport/bus.ts';
import type { TcpKeys } from '../transport/tcp-door.ts';

/** @throws FAILOVER_BAD_KEY_FILE */
export function networkOf(options: RunOptions): Pick<TransportOptions, 'secret' | 'tcp'> {
  const bind = parseBind(options.bind);
  const { secretFile, advertise } = options;
  return {
    ...(secretFile === null ? {} : { secret: readSecretFile(secretFile) }),
    ...(bind.kind === 'ipc'
      ? {}
      : {
          tcp: {
            bind,
            advertise: advertise === null ? null : parseAdvertise(advertise),
            keys: keysOf(options),
          },
        }),
  };
}

/** How one that listens at no port reaches nodes of other machines, and signs; null: it does not. @throws as above */
export function dialOf(
  options: Pick<RunOptions, 'keyFile' | 'authorizedKeys' | 'insecure' | 'secretFile'>,
): { readonly tcp: { readonly keys: TcpKeys | null } | null; readonly secret: Buffer | null } {
  const { keyFile, insecure, secretFile } = options;
  const secret = secretFile === null ? null : readSecretFile(secretFile);
  return { tcp: keyFile === null && !insecure ? null : { keys: keysOf(options) }, secret };
}

function keysOf({
  keyFile,
  authorizedKeys,
}: Pick<RunOptions, 'keyFile' | 'authorizedKeys'>): TcpKeys | null {
  if (keyFile === null) return null;
  const own = readKeyFile(keyFile);
  return { own, authorized: new AuthorizedKeys(own.publicKey, authorizedKeys) };
}
