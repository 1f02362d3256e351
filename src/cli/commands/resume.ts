// `failover resume`: ends a pause.
import type { ClientOptions } from '../../config/load.ts';
import { PAUSED } from '../../core/election-order.ts';
import { livingNodes } from '../client.ts';
import type { GroupSnapshot } from '../client.ts';
import { setPaused } from '../pausing.ts';
import { ALOUD } from '../say.ts';
import type { Voice } from '../say.ts';
import { nodesElsewhere } from '../store-sight.ts';

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
  const away = nodesElsewhere(before).length;
  if (living.length + away === 0) return 'No node is running; the next one to start may lead.';
  const unable = living.flatMap(({ record, status }) => {
    if (status?.role !== 'secondary' || status.willing) return [];
    const why = status.unwillingBecause ?? 'it does not say why';
    return why === PAUSED ? [] : [`${record.node}: ${why}`];
  });
  const secondaries = living.filter(({ status }) => status?.role !== 'primary').length;
  if (away > 0 || unable.length < secondaries) return 'Secondaries take over automatically again.';
  if (unable.length === 0) return 'No secondary stands by.';
  return `No secondary would take over: ${unable.join('; ')}.`;
}
