// `failover pause`: no automatic promotion in the group until `resume`.
import type { ClientOptions } from '../../config/load.ts';
import { advised } from '../advised.ts';
import { primaryOf } from '../client.ts';
import { setPaused } from '../pausing.ts';
import { ALOUD } from '../say.ts';
import type { Voice } from '../say.ts';
import { holderElsewhere } from '../store-sight.ts';
import { absenceWarnings } from '../warnings.ts';

/** Pauses the group and says what that means now. @throws FAILOVER_STATE_DIR_* */
export async function pause(options: ClientOptions, { say, note }: Voice = ALOUD): Promise<void> {
  const { group } = options;
  const { before, changed, unaware } = await setPaused(options, true);
  const primary = primaryOf(before)?.record.node ?? holderElsewhere(before)?.node ?? null;
  const meaning =
    primary === null
      ? 'no node claims the lease automatically'
      : `${primary} stays primary, and if it dies no node takes over automatically`;
  say(`Group ${group} is paused${changed ? '' : ' already'}: ${meaning}.`);
  for (const warning of absenceWarnings(before)) note(warning);
  if (unaware.length > 0) note(`Not confirmed by every node: ${unaware.join(', ')}.`);
  const resume = advised(`\`failover resume --group ${group}\``, options);
  say(`\`failover promote\` still works; ${resume} ends the pause.`);
}
