// `failover demote`: makes the primary step down, and says who has taken over.
import { formatDuration } from '../../config/duration.ts';
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import { advised } from '../advised.ts';
import type { GroupSnapshot, SeenNode } from '../client.ts';
import {
  ask,
  awaitPrimary,
  endedBy,
  hintElsewhere,
  leaseHolder,
  livingNodes,
  lookAtGroup,
  nodeNamed,
  onAnotherMachine,
} from '../client.ts';
import { ALOUD } from '../say.ts';
import type { Voice } from '../say.ts';
import { holderElsewhere, lookFurther } from '../store-sight.ts';
import { isNobodyWilling, isPromotable } from '../warnings.ts';

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
export async function demote(options: DemoteOptions, voice: Voice = ALOUD): Promise<void> {
  const { group, holdMs, timeoutMs, signal } = options;
  const here = await lookAtGroup(options);
  const isHere = options.node === null ? leaseHolder(here) !== null : hasNode(here, options.node);
  const target = targetOf(isHere ? here : await lookFurther(options), options.node);
  const id = target.record.node;
  await ask(target.record, {
    group,
    method: 'instance.demote',
    params: { successor: null, holdMs, answerEarly: false },
    timeoutMs,
    ...endedBy(signal),
  });
  const held =
    holdMs === null
      ? 'stands by until another node has led'
      : `will not lead for ${formatDuration(holdMs)}`;
  voice.say(`${id} has stepped down and ${held}.`);
  const next = await awaitPrimary(options, SUCCESSOR_LIMIT_MS);
  const away = next === null ? holderElsewhere(await lookFurther(options)) : null;
  if (next !== null) {
    voice.say(`${next.record.node} is primary at epoch ${String(next.status?.epoch)}.`);
  } else if (away !== null) {
    voice.say(`${away.node} is primary, on ${away.host}.`);
  } else {
    const said = await lookFurther(options);
    const limit = holdMs === null ? ' ' : ` for ${formatDuration(holdMs)}, or `;
    const canBeAsked = livingNodes(said).some(
      ({ record, status }) => record.node === id && status !== null && isPromotable(status),
    );
    const hint =
      isNobodyWilling(said) && canBeAsked
        ? `nobody takes over: the group has no primary${limit}until \`failover promote ${id} --group ${group}\`.`
        : `there is no primary yet: see \`failover status --group ${group}\`.`;
    voice.note(advised(hint, options));
  }
}

function hasNode(snapshot: GroupSnapshot, id: string): boolean {
  return livingNodes(snapshot).some(({ record }) => record.node === id);
}

/** @throws FAILOVER_REFUSED for a node that has nothing to step down from. */
function targetOf(snapshot: GroupSnapshot, id: string | null): SeenNode {
  const { group } = snapshot;
  const details = { group };
  const holder = leaseHolder(snapshot);
  if (id === null) {
    if (holder !== null) return holder;
    const away = holderElsewhere(snapshot);
    if (away !== null) throw onAnotherMachine(away, snapshot);
    const message = `Cannot demote: group ${group} has no primary`;
    throw new FailoverError('FAILOVER_NO_PRIMARY', message, {
      details,
      ...hintElsewhere(snapshot),
    });
  }
  const target = nodeNamed(snapshot, id);
  if (target === holder) return target;
  const leader = holder === null ? 'nobody is' : `${holder.record.node} is`;
  const message = `Cannot demote ${id}: it is not the primary, ${leader}`;
  throw new FailoverError('FAILOVER_REFUSED', message, { details });
}
