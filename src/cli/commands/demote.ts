// `failover demote`: makes the primary step down, and says who has taken over.
import { setTimeout as wait } from 'node:timers/promises';
import { formatDuration } from '../../config/duration.ts';
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import type { SeenNode } from '../client.ts';
import { ask, leaseHolder, lookAtGroup, nodeNamed, primaryOf } from '../client.ts';
import { Deadline } from '../deadline.ts';
import { note, say } from '../say.ts';

export interface DemoteOptions extends ClientOptions {
  /** Null: the primary. */
  readonly node: string | null;
  /** How long it may not lead, ms; null: until another has led. */
  readonly holdMs: number | null;
  readonly timeoutMs: number;
}

/** How long the new primary is waited for, only to say who it is, ms. */
const SUCCESSOR_LIMIT_MS = 2_000;

/**
 * Demotes a node and waits until its workload has ended.
 *
 * @throws FAILOVER_NO_PRIMARY, FAILOVER_NO_NODE, FAILOVER_REFUSED, FAILOVER_TIMED_OUT
 */
export async function demote(options: DemoteOptions): Promise<void> {
  const { group, holdMs, timeoutMs } = options;
  const before = await lookAtGroup(options);
  const target = options.node === null ? leaseHolder(before) : nodeNamed(before, options.node);
  if (target === null) {
    throw new FailoverError('FAILOVER_NO_PRIMARY', `Cannot demote: group ${group} has no primary`, {
      details: { group },
    });
  }
  const id = target.record.node;
  await ask(target.record, {
    group,
    method: 'instance.demote',
    params: { successor: null, holdMs, answerEarly: false },
    timeoutMs,
  });
  const held =
    holdMs === null
      ? 'stands by until another has led'
      : `will not lead for ${formatDuration(holdMs)}`;
  say(`${id} has stepped down and ${held}.`);
  const next = await nextPrimary(options, id);
  if (next !== null) say(`${next.record.node} is primary at epoch ${String(next.status?.epoch)}.`);
  else note('there is no primary yet: see `failover status`.');
}

async function nextPrimary(options: ClientOptions, former: string): Promise<SeenNode | null> {
  const deadline = new Deadline(SUCCESSOR_LIMIT_MS);
  for (;;) {
    const primary = primaryOf(await lookAtGroup(options));
    if (primary?.status?.role === 'primary' && primary.record.node !== former) return primary;
    if (deadline.hasPassed) return null;
    await wait(20);
  }
}
