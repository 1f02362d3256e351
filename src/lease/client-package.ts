// The client of a store is a package that is installed beside failover only where it is used.
import { FailoverError } from '../errors.ts';

export interface ClientPackage {
  /** What it is the client of, as messages name it. */
  readonly store: string;
  readonly name: string;
  readonly major: number;
}

/** @throws FAILOVER_CLIENT_MISSING, which names what to install */
export async function loadClient<Module>(
  { store, name, major }: ClientPackage,
  importClient: () => Promise<Module>,
): Promise<Module> {
  try {
    return await importClient();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new FailoverError(
      'FAILOVER_CLIENT_MISSING',
      `Cannot use a lease in ${store}: its client, the package ${name}, is not installed`,
      { cause, details: { install: `${name}@${String(major)}` } },
    );
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
