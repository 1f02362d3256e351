// `failover status`: who is primary, who stands by, and what is wrong.
import type { ClientOptions } from '../../config/load.ts';
import { groupStatusOf } from '../group-status.ts';
import type { GroupStatus } from '../group-status.ts';
import { colorLevel } from '../render/color.ts';
import { paintFor } from '../render/plain.ts';
import { lookEverywhere } from '../store-sight.ts';

export interface StatusOptions extends ClientOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

/** Prints the status; exit code 3 without a primary, 1 where the server of the lease would have to know. */
export async function status(options: StatusOptions): Promise<void> {
  if (options.watch) {
    const { watchStatus } = await import('./status-watch.ts');
    await watchStatus(options);
    return;
  }
  const seen = groupStatusOf(await lookEverywhere(options));
  process.stdout.write(options.json ? `${JSON.stringify(seen, null, 2)}\n` : await text(seen));
  process.exitCode = exitCodeOf(seen);
}

/** What `status` exits with. */
export function exitCodeOf({ primary, lease }: GroupStatus): number {
  if (primary !== null) return 0;
  return lease.problem === null ? 3 : 1;
}

async function text(seen: GroupStatus): Promise<string> {
  const { statusLines } = await import('../render/status-text.ts');
  const paint = await paintFor(colorLevel(process.stdout));
  return `${statusLines(seen, paint).join('\n')}\n`;
}
