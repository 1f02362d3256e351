// One check of an address or by a command, for programs.
import { attemptCheck } from './attempt.ts';
import type { CheckResult } from './check-result.ts';
import { checkedTime } from '../config/checked-number.ts';
import { networkCheckOf } from './health-target.ts';
import type { HealthAddress } from './health-target.ts';

export interface SingleCheckOptions {
  /** How long it may take, ms; by default 5 s. */
  readonly timeoutMs?: number;
  /** Calls it off. A deadline, as of `AbortSignal.timeout`, makes it one that is too late. */
  readonly signal?: AbortSignal;
}

export interface CommandCheckOptions extends SingleCheckOptions {
  /** What is set on top of the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** How long a check may take, ms, where nothing else is said. */
export const CHECK_TIMEOUT_MS = 5_000;

/**
 * One GET, of which 200 to 399 passes and no redirect is followed, or one connection. Whatever goes wrong is a
 * result.
 *
 * @throws FAILOVER_BAD_OPTION for an address or a time that is none
 */
export async function checkAddress(
  address: HealthAddress,
  { timeoutMs = CHECK_TIMEOUT_MS, signal }: SingleCheckOptions = {},
): Promise<CheckResult> {
  return attemptCheck(networkCheckOf(address, 'address'), {
    ...{ timeoutMs: checkedTime('timeoutMs', timeoutMs), signal },
    ...{ environment: {}, deathSignal: false },
  });
}

/**
 * One command of the shell, of which exit code 0 passes. What it leaves behind in its session is killed, also when it
 * takes too long. Whatever goes wrong is a result.
 *
 * @throws FAILOVER_BAD_OPTION for a time that is none
 */
export async function checkByCommand(
  command: string,
  options: CommandCheckOptions = {},
): Promise<CheckResult> {
  const { timeoutMs = CHECK_TIMEOUT_MS, signal, environment = {} } = options;
  return attemptCheck(
    { kind: 'exec', command },
    {
      ...{ timeoutMs: checkedTime('timeoutMs', timeoutMs), signal },
      ...{ environment, deathSignal: false },
    },
  );
}
