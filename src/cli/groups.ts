// All groups of a state directory, for a caller that has named none: one look at each.
import type { ClientOptions, GroupSearch } from '../config/load.ts';
import { foundSharedState } from '../config/timed-file.ts';
import { FailoverError } from '../errors.ts';
import { groupNames } from './group-names.ts';
import { groupStatusOf } from './group-status.ts';
import type { GroupStatus } from './group-status.ts';
import { lookEverywhere } from './store-sight.ts';

/** How many groups are looked at at once: each takes a few descriptors while its nodes are asked. */
const LOOKS_AT_ONCE = 16;

/** A group as it was seen; `status` is null where it could not be looked at, `problem` says why then. */
export type SeenGroup =
  | { readonly group: string; readonly status: GroupStatus; readonly problem: null }
  | { readonly group: string; readonly status: null; readonly problem: string };

/** Looks at all of them, a few at a time, in the order of their names; `signal` ends it early. */
export async function lookAtGroups(
  search: GroupSearch,
  signal?: AbortSignal,
): Promise<readonly SeenGroup[]> {
  const names = groupNames(search.stateDir);
  const seen: SeenGroup[] = [];
  const places = names.entries();
  const work = async (): Promise<void> => {
    for (const [place, name] of places) {
      if (signal?.aborted === true) return;
      seen[place] = await lookAt(optionsFor(name, search));
    }
  };
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, work));
  // Without those that were not come to.
  return seen.flat();
}

/** What a command for this one of the groups would be given. */
export function optionsFor(group: string, { stateDir }: GroupSearch): ClientOptions {
  return { group, stateDir, ...foundSharedState(stateDir, group) };
}

async function lookAt(options: ClientOptions): Promise<SeenGroup> {
  const { group } = options;
  try {
    return { group, status: groupStatusOf(await lookEverywhere(options)), problem: null };
  } catch (error) {
    // That of another user, among others: it says nothing of the rest.
    if (error instanceof FailoverError) return { group, status: null, problem: error.message };
    throw error;
  }
}
