// The timed lease in files against a real directory.
import { describe } from 'vitest';
import { leaseContract } from './lease-contract.ts';
import { SharedDirectory } from './support/shared-directory.ts';

describe('a timed lease in files', () => {
  leaseContract((trustedMs) => SharedDirectory.start(trustedMs > 0), {
    // A claim that takes longer than its lease is none, and its epoch is spent: a busy disk takes its time.
    ...{ rounds: 20, shortTtlMs: 1_000, restartTtlMs: 1_500 },
    // Files have no connection that ends: whoever can't reach them finds what has changed at the next look.
    hasConnection: false,
  });
});
