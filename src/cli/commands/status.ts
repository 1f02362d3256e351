// `failover status`: who is primary, who stands by, and what is wrong.
import type { ClientOptions, GroupSearch } from '../../config/load.ts';
import { groupNames } from '../group-names.ts';
import { groupStatusOf } from '../group-status.ts';
import type { GroupStatus } from '../group-status.ts';
import { lookAtGroups, optionsFor } from '../groups.ts';
import type { SeenGroup } from '../groups.ts';
import { colorLevel } from '../render/color.ts';
import { paintFor } from '../render/plain.ts';
import { lookEverywhere } from '../store-sight.ts';

export interface StatusOptions extends ClientOptions {
  readonly json: boolean;
  readonly watch: boolean;
  /** Where to look for groups, as none was named; null: one was. */
  readonly search: GroupSearch | null;
}

/** What `status --json` prints of several groups. Keys are added in later versions, never changed or removed. */
export interface GroupsStatus {
  readonly v: 1;
  /** Each as `status --json --group NAME` has it, by name. */
  readonly groups: readonly GroupStatus[];
  /** Those that could not be looked at, and why. */
  readonly problems: readonly { readonly group: string; readonly problem: string }[];
}

/**
 * Prints the status of a group, or of all where none is named and there are several; exit code 3 without a primary,
 * 1 where the server of the lease would have to know.
 */
export async function status(options: StatusOptions): Promise<void> {
  const meant = meantBy(options);
  if (options.watch) {
    const { watchStatus } = await import('./status-watch.ts');
    await watchStatus(meant, options.json);
    return;
  }
  if ('search' in meant) {
    const groups = await lookAtGroups(meant.search);
    await print(options, groupsStatusOf(groups), (width) => groupsText(groups, width));
    process.exitCode = exitCodeOfAll(groups);
    return;
  }
  const seen = groupStatusOf(await lookEverywhere(meant.one));
  await print(options, seen, (width) => text(seen, width));
  process.exitCode = exitCodeOf(seen);
}

/** One group, or where all of them are. */
export type Meant = { readonly one: ClientOptions } | { readonly search: GroupSearch };

/** What `status` exits with. */
export function exitCodeOf({ primary, lease }: GroupStatus): number {
  if (primary !== null) return 0;
  return lease.problem === null ? 3 : 1;
}

/** A group that is known to have no primary counts more than one of which that is not known. */
export function exitCodeOfAll(groups: readonly SeenGroup[]): number {
  const some = groups.filter(({ status: seen }) => seen === null || hasBeen(seen));
  const counted = some.length === 0 ? groups : some;
  const codes = counted.map(({ status: seen }) => (seen === null ? 1 : exitCodeOf(seen)));
  return Math.max(0, ...codes);
}

/** One that was only paused, before its first start or by a misspelt name, lacks no primary beside others. */
function hasBeen({ epoch, nodes, lease }: GroupStatus): boolean {
  return epoch > 0 || nodes.length > 0 || lease.problem !== null;
}

export function groupsStatusOf(groups: readonly SeenGroup[]): GroupsStatus {
  return {
    v: 1,
    groups: groups.flatMap(({ status: seen }) => seen ?? []),
    problems: groups.flatMap(({ group, problem }) =>
      problem === null ? [] : [{ group, problem }],
    ),
  };
}

/** Where none is named, the only one is meant, and the default one where there is none at all. */
function meantBy(options: StatusOptions): Meant {
  const { search } = options;
  if (search === null) return { one: options };
  const [only, ...others] = groupNames(search.stateDir);
  if (only === undefined) return { one: options };
  return others.length === 0 ? { one: optionsFor(only, search) } : { search };
}

async function print(
  { json }: StatusOptions,
  seen: GroupStatus | GroupsStatus,
  lines: (width: number) => Promise<readonly string[]>,
): Promise<void> {
  const width = process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : null;
  process.stdout.write(
    json
      ? `${JSON.stringify(seen, null, 2)}\n`
      : `${(await lines(width ?? Infinity)).join('\n')}\n`,
  );
}

async function text(seen: GroupStatus, width: number): Promise<readonly string[]> {
  const { statusLines } = await import('../render/status-text.ts');
  return statusLines(seen, await paintFor(colorLevel(process.stdout)), width);
}

async function groupsText(groups: readonly SeenGroup[], width: number): Promise<readonly string[]> {
  const { groupsLines } = await import('../render/groups-text.ts');
  return groupsLines(groups, await paintFor(colorLevel(process.stdout)), width);
}
