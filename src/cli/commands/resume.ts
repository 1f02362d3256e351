// `failover resume`: ends a pause.
import type { ClientOptions } from '../../config/load.ts';
import { PAUSED } from '../../core/election-order.ts';
import { livingNodes } from '../client.ts';
import type { GroupSnapshot } from '../client.ts';
import { setPaused } from '../pausing.ts';
import { ALOUD } from '../say.ts';
import type { Voice } from '../say.ts';
import { holderElsewhere, nodesElsewhere } from '../store-sight.ts';

/** Resumes the group and says what that means now. @throws FAILOVER_STATE_DIR_* */
export async function resume(options: ClientOptions, { say }: Voice = ALOUD): Promise<void> {
  const { group } = options;
  const { before, changed } = await setPaused(options, false);
  if (!changed) {
    say(`Group ${group} is not paused.`);
    return;
  }
  say(`Group ${group} is resumed. ${meaningOf(before)}`);
}

/** What follows from it for the nodes as they were during the pause. */
export function meaningOf(before: GroupSnapshot): string {
  const living = livingNodes(before);
  const elsewhere = nodesElsewhere(before);
  if (living.length + elsewhere.length === 0)
    return 'No node is running; the next one to start may lead.';
  const away = elsewhere.length - (holderElsewhere(before) === null ? 0 : 1);
  // One that does not answer would not take over either, for all that is known.
  const reasons = living.flatMap(({ record, status }) => {
    if (status === null || status.role === 'primary') return [];
    // A candidate is about to lead.
    const isAble = status.willing || status.role === 'candidate';
    const why = isAble ? null : (status.unwillingBecause ?? 'it does not say why');
    return [why === null || why === PAUSED ? null : `${record.node}: ${why}`];
  });
  const unable = reasons.filter((reason) => reason !== null);
  if (away > 0 || unable.length < reasons.length) {
    return 'Secondaries take over automatically again.';
  }
  if (unable.length === 0) return 'No secondary stands by.';
  return `No secondary would take over: ${unable.join('; ')}.`;
}
