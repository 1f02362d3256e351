// What the parts of one node that look at a group at every beat have in common.
import { FileSight } from './file-sight.ts';
import type { GroupPaths } from './group-paths.ts';
import { HighestEpoch } from './highest-epoch.ts';

export interface LookingParts {
  readonly paths: GroupPaths;
  readonly sight: FileSight;
  readonly highestEpoch: HighestEpoch;
  /** Monotonic, ms. */
  readonly now: () => number;
}

export function lookingParts(
  paths: GroupPaths,
  sight: FileSight = new FileSight(),
  now: () => number = () => performance.now(),
): LookingParts {
  return { paths, sight, highestEpoch: new HighestEpoch(paths.epochs, sight, now), now };
}
