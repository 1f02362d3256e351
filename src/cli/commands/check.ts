// `failover check`: probes the primary now; a secondary that finds it dead takes over.
import { formatDuration } from '../../config/duration.ts';
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import { ask, leaseHolder, livingNodes, lookAtGroup, primaryOf } from '../client.ts';
import type { GroupSnapshot, SeenNode } from '../client.ts';
import { fieldOf, textOf } from '../answer-fields.ts';
import { Deadline } from '../deadline.ts';
import { successionOf } from '../group-status.ts';
import { obstacleOf } from '../obstacle.ts';
import { note, say } from '../say.ts';
import { holderElsewhere, lookFurther } from '../store-sight.ts';
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
  const answer = await askToCheck(secondary, options);
  const takeover = fieldOf(answer, 'takeover');
  const taken = takeover === null ? undefined : readTakeover(takeover);
  if (taken !== undefined) {
    say(promotionText(taken));
    return;
  }
  const after = await lookAtGroup(options);
  const primary = primaryOf(after);
  if (primary === null) {
    const away = holderElsewhere(await lookFurther(options));
    if (away === null) throw noPrimary(after);
    say(`${away.node} leads, on ${away.host}: ${secondary.record.node} follows its lease.`);
    return;
  }
  const { node } = primary.record;
  // It lives by another sign than the probe: a primary that answers is what was asked for.
  if (primary.status === null) throw unanswered(options.group, node, fieldOf(answer, 'detail'));
  say(`${node} is primary and answers ${secondary.record.node}.`);
}

/**
 * Until the outcome is known. What the probes showed is told before: a silence that is too short for a
 * verdict has to grow first, and who reads it may have seen enough.
 */
async function askToCheck({ record }: SeenNode, options: CheckOptions): Promise<unknown> {
  const { group, timeoutMs } = options;
  const method = 'instance.check';
  const deadline = new Deadline(timeoutMs);
  const early = await ask(record, { group, method, params: { answerEarly: true }, timeoutMs });
  if (fieldOf(early, 'undecided') !== true) return early;
  const found = textOf(fieldOf(early, 'detail'));
  note(`${found}. Waiting for it (Ctrl-C ends only the wait)`);
  try {
    const params = { answerEarly: false };
    // The least that is still a time to wait.
    return await ask(record, { group, method, params, timeoutMs: Math.max(1, deadline.leftMs) });
  } catch (error) {
    if (!(error instanceof FailoverError) || error.code !== 'FAILOVER_TIMED_OUT') throw error;
    const message = `Cannot determine the primary within ${formatDuration(timeoutMs)}: ${found}`;
    throw new FailoverError('FAILOVER_TIMED_OUT', message, { details: { group }, cause: error });
  }
}

function bestSecondary(snapshot: GroupSnapshot): SeenNode | null {
  const secondaries = livingNodes(snapshot).filter(({ status }) => status?.role === 'secondary');
  const [next] = successionOf(snapshot, primaryOf(snapshot));
  return secondaries.find(({ record }) => record.node === next) ?? secondaries[0] ?? null;
}

async function ping(snapshot: GroupSnapshot): Promise<void> {
  const { group } = snapshot;
  const primary = leaseHolder(snapshot);
  if (primary === null) throw noPrimary(snapshot);
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

function unanswered(group: string, node: string, detail: unknown): FailoverError {
  const message = `Cannot find a primary that answers: ${node} has the lease: ${textOf(detail)}`;
  return new FailoverError('FAILOVER_NO_PRIMARY', message, { details: { group } });
}

/** Exported for its tests. */
export function noPrimary(snapshot: GroupSnapshot): FailoverError {
  const { group } = snapshot;
  const obstacle = obstacleOf(snapshot, { role: 'primary', node: null });
  const because = obstacle === null ? '' : `: ${obstacle.fact}`;
  const message = `Cannot find a primary in group ${group}${because}`;
  const options = obstacle === null ? { details: { group } } : { hint: obstacle.hint };
  return new FailoverError('FAILOVER_NO_PRIMARY', message, options);
}
