// Settings of `failover doctor` from flags, environment and defaults.
import { loadClientOptions } from './load.ts';
import type { ClientOptions } from './load.ts';
import { OptionReader } from './option-reader.ts';
import type { Given } from './option-reader.ts';

export interface DoctorOptions extends ClientOptions {
  readonly keyFile: string | null;
  readonly authorizedKeys: string | null;
  readonly secretFile: string | null;
}

/** @throws FAILOVER_BAD_OPTION or FAILOVER_BAD_GROUP, naming the flag or variable */
export function loadDoctorOptions(given: Given): DoctorOptions {
  // What a node would be given here.
  const read = new OptionReader(given, 'run');
  return {
    ...loadClientOptions(given),
    keyFile: read.text('keyFile'),
    authorizedKeys: read.text('authorizedKeys'),
    secretFile: read.text('secretFile'),
  };
}
