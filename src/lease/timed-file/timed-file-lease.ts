// The timed lease in files: a record that its holder changes in time, in a directory that several machines see.
import type { FileDirectory } from '../../config/lease-url.ts';
import { ChangeWatch } from '../change-watch.ts';
import type { RemoteStore, RemoteStoreOptions } from '../remote-store.ts';
import { TokenLease } from '../token-lease.ts';
import { FileLink } from './file-link.ts';
import type { Perform } from './file-link.ts';
import { TimedFileDriver } from './timed-file-driver.ts';
import { timedPaths } from './timed-paths.ts';

/** Nothing is opened yet. @param perform what does requests; replaced by tests */
export function timedFileLease(
  options: RemoteStoreOptions & { readonly address: FileDirectory },
  perform?: Perform,
): RemoteStore {
  const { address, group, ttlMs, requestTimeoutMs, now } = options;
  const watch = new ChangeWatch();
  const link = new FileLink({
    shown: address.shown,
    ...(perform === undefined ? {} : { perform }),
  });
  const driver = new TimedFileDriver({
    ...{ paths: timedPaths(address.directory, group), link, ttlMs, requestTimeoutMs, now },
    onChange: () => {
      watch.changed();
    },
  });
  return new TokenLease({ kind: 'timed-file', options, driver, watch });
}
