// Checks addresses over HTTP: once, again after a failure, or many of them.
import type { NetworkCheck } from '../config/polled-check.ts';
import { formatDuration } from '../core/duration-text.ts';
import { FailoverError } from '../errors.ts';
import { attempt, lookOverNetwork } from './attempt.ts';
import type { CheckResult } from './check-result.ts';
import { checkAll } from './check-all.ts';
import { checkedConcurrency, checkedNumber, checkedTime } from '../config/checked-number.ts';
import { networkCheckOf } from './health-target.ts';
import type { HealthAddress } from './health-target.ts';
import { checkWithRetry } from './retry.ts';
import type { RetriedResult, RetryOptions, RetryTerms } from './retry.ts';
import { CHECK_TIMEOUT_MS } from './single-checks.ts';

/** What is left out is 5 retries, after 500 ms, doubling, up to 8 s. */
export interface HttpCheckerOptions extends Partial<RetryTerms> {
  /** How long one check may take, ms; by default 5 s. */
  readonly timeoutMs?: number;
  /** How many checks of `checkAll` are under way at most; by default 10. */
  readonly concurrency?: number;
}

/**
 * A check is one GET over a connection of its own: 200 to 399 passes, a redirect is not followed, the body is not
 * read. Whatever goes wrong is a result; what is rejected is an address that is none, with FAILOVER_BAD_OPTION.
 */
export class HttpChecker {
  readonly #timeoutMs: number;
  readonly #concurrency: number;
  readonly #terms: RetryTerms;

  /**
   * @throws FAILOVER_BAD_OPTION for a number out of its range, FAILOVER_SETTINGS_CONFLICT when `backoffMinMs` is more
   *   than `backoffMaxMs`
   */
  constructor(options: HttpCheckerOptions = {}) {
    const { timeoutMs = CHECK_TIMEOUT_MS, concurrency = 10 } = options;
    this.#timeoutMs = checkedTime('timeoutMs', timeoutMs);
    this.#concurrency = checkedConcurrency(concurrency);
    this.#terms = checkedTerms(options);
  }

  async check(
    address: HealthAddress,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<CheckResult> {
    return this.#attempt(httpCheckOf(address), signal);
  }

  /** The first result that is healthy, or the last one there is. A deadline is a `signal` with `AbortSignal.timeout`. */
  async checkWithRetry(address: HealthAddress, options: RetryOptions = {}): Promise<RetriedResult> {
    const check = httpCheckOf(address);
    return checkWithRetry(() => this.#attempt(check, options.signal), this.#terms, options);
  }

  /** Results in the order of the addresses. Those that were not reached before the signal aborts are `cancelled`. */
  async checkAll(
    addresses: readonly HealthAddress[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly CheckResult[]> {
    const checks = addresses.map((address) => httpCheckOf(address));
    const limits = { concurrency: this.#concurrency, signal };
    return checkAll(checks, limits, (check, own) => this.#attempt(check, own));
  }

  #attempt(check: NetworkCheck, signal: AbortSignal | undefined): Promise<CheckResult> {
    const timeoutMs = this.#timeoutMs;
    return attempt({ timeoutMs, signal }, (own) => lookOverNetwork(check, own));
  }
}

function httpCheckOf(address: HealthAddress): NetworkCheck {
  return networkCheckOf(address, 'address', 'http');
}

function checkedTerms(given: Partial<RetryTerms>): RetryTerms {
  const { retries = 5, backoffMinMs = 500, backoffMaxMs = 8_000 } = given;
  if (checkedTime('backoffMinMs', backoffMinMs) > checkedTime('backoffMaxMs', backoffMaxMs)) {
    const [min, max] = [formatDuration(backoffMinMs), formatDuration(backoffMaxMs)];
    const fact = `backoffMinMs ${min} is longer than backoffMaxMs ${max}`;
    throw new FailoverError('FAILOVER_SETTINGS_CONFLICT', `Cannot check again: ${fact}`);
  }
  checkedNumber('retries', retries, { min: 0, max: 1_000, whole: true });
  return { retries, backoffMinMs, backoffMaxMs };
}
