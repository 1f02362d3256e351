// Gives a timed lease in files back from another process than the one that has it.
import { writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { TimedFileReturn } from '../../guard/messages.ts';
import { freeBeat } from './beat.ts';
import { note } from './event-log.ts';

/** True: it is given back, now or before. Never rejects, and waits for no file system that does not answer. */
export async function giveBackToFiles(order: TimedFileReturn): Promise<boolean> {
  const limit = new AbortController();
  const late = wait(order.timeoutMs, false, { signal: limit.signal }).catch(() => false);
  try {
    return await Promise.race([release(order), late]);
  } catch {
    return false;
  } finally {
    limit.abort();
  }
}

async function release(order: TimedFileReturn): Promise<true> {
  const { beat, changed, events, node, epoch } = order;
  if (!(await freeBeat(beat))) return true;
  await writeFile(changed, `${node} released\n`).catch(() => undefined);
  await note(events, { node, action: 'released', epoch });
  return true;
}
