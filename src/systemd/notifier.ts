// Whether a service manager can be told of a process here: the binding that does it is not there on every machine.
import { messageOf } from '../error-message.ts';

/** Why not, in one line; null: it can. @param load Replaced by tests. */
export async function lackOfNotifier(
  load: () => Promise<unknown> = () => import('./service-manager.ts'),
): Promise<string | null> {
  try {
    await load();
    return null;
  } catch (error) {
    const [why = ''] = messageOf(error).split('\n');
    return why.replaceAll(/\p{Cc}+/gu, ' ').trim();
  }
}
