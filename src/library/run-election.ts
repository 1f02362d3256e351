// Takes part in an election from a program: checks what it was told, and opens the lease.
import { FailoverError } from '../errors.ts';
import { BootClock } from '../runtime/boot-clock.ts';
import { onAbort, refuseAborted } from '../runtime/on-abort.ts';
import type { ElectionStrategy } from './claim-turn.ts';
import type { StartCallback, StopCallback } from './elected-term.ts';
import { Election } from './election.ts';
import { leaseTermsOf } from './election-options.ts';
import type { RedisLeaseOptions } from './election-options.ts';
import { RedisLease } from './redis-lease.ts';

export interface ElectionOptions extends RedisLeaseOptions {
  readonly onStart: StartCallback;
  readonly onStop?: StopCallback;
  /** `race`, the default: whoever is first. `priority`: the lower number first, and no preemption. */
  readonly strategy?: ElectionStrategy;
  /** What `onStop` may take, and how long `close` waits for `onStart`, whole milliseconds. By default 1000. */
  readonly stopBudgetMs?: number;
}

/**
 * Takes part in the election of a project, until `close`. Resolves once this node is registered, or has
 * tried to: a server that is away is waited for.
 *
 * @throws what `RedisLease.open` throws; FAILOVER_REFUSED when the signal is aborted already
 */
export async function runElection(options: ElectionOptions): Promise<Election> {
  // The lease is closed by the election, when what leads has ended.
  const { signal, ...leaseOptions } = options;
  const { strategy = 'race', stopBudgetMs = STOP_BUDGET_MS, onStop = null } = options;
  requireStrategy(strategy);
  requireBudget(stopBudgetMs);
  const terms = leaseTermsOf(options);
  refuseAborted(signal, 'take part in the election');
  const lease = await RedisLease.open({ ...leaseOptions, nodeId: terms.record.node });
  const { onStart } = options;
  const election = new Election({
    ...{ lease, terms, strategy, stopBudgetMs, onStart, onStop },
    ...{ clock: new BootClock(), random: Math.random },
  });
  const forget = onAbort(signal, () => void election.close());
  election.on('change', ({ role }) => {
    if (role === 'closed') forget();
  });
  return election;
}

const STOP_BUDGET_MS = 1_000;

function requireStrategy(strategy: string): void {
  if (strategy === 'race' || strategy === 'priority') return;
  const message = `Cannot use strategy: ${JSON.stringify(strategy)} is not a strategy`;
  throw new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: 'strategy', expected: '`race` or `priority`' },
  });
}

function requireBudget(stopBudgetMs: number): void {
  if (Number.isSafeInteger(stopBudgetMs) && stopBudgetMs >= 0 && stopBudgetMs <= LONGEST_BUDGET_MS)
    return;
  const message = `Cannot use stopBudgetMs: ${String(stopBudgetMs)} is not valid`;
  throw new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: 'stopBudgetMs', expected: 'whole milliseconds from 0 to an hour' },
  });
}

const LONGEST_BUDGET_MS = 60 * 60 * 1_000;
