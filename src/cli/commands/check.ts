// `failover check`: probes the primary now; a secondary that finds it dead takes over.
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import { ask, leaseHolder, livingNodes, lookAtGroup, primaryOf } from '../client.ts';
import type { GroupSnapshot, SeenNode } from '../client.ts';
import { successionOf } from '../group-status.ts';
import { say } from '../say.ts';
import { readTakeover } from '../../transport/checks.ts';
import { promotionText } from './promote.ts';

export interface CheckOptions extends ClientOptions {
  readonly timeoutMs: number;
}

/** How long the primary may take for a ping when no secondary can be asked, ms. */
const PING_LIMIT_MS = 2_000;

/**
 * Resolves when a primary answers, the old one or one that has just taken over.
 *
 * @throws FAILOVER_NO_PRIMARY, FAILOVER_TIMED_OUT
 */
export async function check(options: CheckOptions): Promise<void> {
  const snapshot = await lookAtGroup(options);
  const secondary = bestSecondary(snapshot);
  if (secondary === null) {
    await ping(snapshot);
    return;
  }
  const answer = await ask(secondary.record, {
    group: options.group,
    method: 'instance.check',
    timeoutMs: options.timeoutMs,
  });
  const takeover = fieldOf(answer, 'takeover');
  const taken = takeover === null ? undefined : readTakeover(takeover);
  if (taken !== undefined) {
    say(promotionText(taken));
    return;
  }
  const primary = primaryOf(await lookAtGroup(options));
  if (primary === null) throw noPrimary(options.group);
  say(`${primary.record.node} is primary and answers ${secondary.record.node}.`);
}

function bestSecondary(snapshot: GroupSnapshot): SeenNode | null {
  const secondaries = livingNodes(snapshot).filter(({ status }) => status?.role === 'secondary');
  const [next] = successionOf(snapshot, primaryOf(snapshot));
  return secondaries.find(({ record }) => record.node === next) ?? secondaries[0] ?? null;
}

async function ping(snapshot: GroupSnapshot): Promise<void> {
  const { group } = snapshot;
  const primary = leaseHolder(snapshot);
  if (primary === null) throw noPrimary(group);
  try {
    await ask(primary.record, { group, method: 'instance.ping', timeoutMs: PING_LIMIT_MS });
  } catch (error) {
    if (!(error instanceof FailoverError)) throw error;
    const fact = `Cannot find a primary that answers: ${primary.record.node} has the lease`;
    const message = `${fact}, is silent, and no secondary stands by`;
    throw new FailoverError('FAILOVER_NO_PRIMARY', message, { details: { group }, cause: error });
  }
  say(`${primary.record.node} is primary and answers; no secondary stands by.`);
}

function noPrimary(group: string): FailoverError {
  const message = `Cannot find a primary in group ${group}`;
  return new FailoverError('FAILOVER_NO_PRIMARY', message, { details: { group } });
}

function fieldOf(answer: unknown, name: string): unknown {
  if (typeof answer !== 'object' || answer === null) return null;
  // An object without a known shape is a map of unknown values.
  return (answer as Readonly<Record<string, unknown>>)[name] ?? null;
}
