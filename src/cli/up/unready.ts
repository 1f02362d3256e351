// Which groups of a file could not start here: found out before any other is ended for them.
import type { RunOptions } from '../../config/load.ts';
import { messageOf } from '../../error-message.ts';
import { FailoverError } from '../../errors.ts';
import { beforeStart } from '../../runtime/before-start.ts';

/**
 * Loads what the groups run with, too: while they run the package may be replaced.
 *
 * @param path of the file, for the message
 * @throws FAILOVER_BAD_CONFIG with a fact for each group whose program, client of a store, or file is missing
 */
export async function refuseUnready(path: string, groups: Iterable<RunOptions>): Promise<void> {
  const facts: string[] = [];
  let count = 0;
  for (const options of groups) {
    const fact = await obstacleOf(options);
    if (fact === null) continue;
    count += 1;
    if (facts.length < SHOWN) facts.push(`${options.group}: ${fact}`);
  }
  if (count === 0) return;
  if (count > SHOWN) facts.push(`and ${String(count - SHOWN)} more`);
  const what = count === 1 ? '1 group of it' : `${String(count)} groups of it`;
  const message = `Cannot use ${path}: ${what} could not start here`;
  const hint = 'Fix that, or change the file.';
  throw new FailoverError('FAILOVER_BAD_CONFIG', message, { hint, facts });
}

/** Null: there is none that shows before anything is opened. */
async function obstacleOf(options: RunOptions): Promise<string | null> {
  try {
    await beforeStart(options, true);
    if (options.proxy !== null) await import('../run-proxy.ts');
    return null;
  } catch (error) {
    if (error instanceof FailoverError) return `${error.message}. ${error.hint}`;
    const fact = messageOf(error);
    return `${fact}. If the failover package was replaced, restart \`failover up\`.`;
  }
}

/** The most that one error tells of. */
const SHOWN = 20;
