// `failover resume`: ends a pause.
import type { ClientOptions } from '../../config/load.ts';
import { livingNodes } from '../client.ts';
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
  const count = livingNodes(before).length + nodesElsewhere(before).length;
  const meaning =
    count === 0
      ? 'No node is alive; the next one may lead.'
      : 'A willing secondary takes over again.';
  say(`Group ${group} is resumed. ${meaning}`);
}
