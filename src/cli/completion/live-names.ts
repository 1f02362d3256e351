// The names that are completed and that no definition knows: groups that have a directory, and nodes that live.
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { OptionReader } from '../../config/option-reader.ts';
import { defaultStateDir } from '../../config/state-dir.ts';
import { foundSharedState } from '../../config/timed-file.ts';
import { groupPaths } from '../../lease/file/group-paths.ts';
import { listNodes } from '../../lease/file/node-registry.ts';
import { groupNames } from '../group-names.ts';
import type { LineOptions, LiveNames } from './candidates.ts';

/** More would only fill the screen. */
const NODES_LIMIT = 1_000;

export const LIVE_NAMES: LiveNames = {
  groups: (line) => groupNames(placeOf(line).stateDir),
  nodes: (line) => {
    const { group, stateDir } = placeOf(line);
    const own = foundSharedState(stateDir, group)?.stateDir ?? stateDir ?? defaultStateDir();
    const living = listNodes(groupPaths(realpathSync(join(own, group)))).filter(
      ({ alive }) => alive,
    );
    return [...new Set(living.map(({ node }) => node))].sort().slice(0, NODES_LIMIT);
  },
};

/** Which group is meant, and where: as the command itself will read it from flags and environment. */
function placeOf({ command, group, stateDir }: LineOptions): {
  readonly group: string;
  readonly stateDir: string | null;
} {
  const flags = { group: unquoted(group), stateDir: unquoted(stateDir) };
  const read = new OptionReader({ flags, env: process.env }, command === 'run' ? 'run' : 'clients');
  return { group: read.group('group'), stateDir: read.text('stateDir') };
}

/** As the shell will hand it over, in the simple cases: a shell shows us what was typed. */
function unquoted(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bare = text.replaceAll(/^["']|["']$/g, '').replaceAll(/\\(.)/g, '$1');
  if (bare === '~' || bare.startsWith('~/')) return join(homedir(), bare.slice(1));
  return bare.replace(/^\$(?:HOME\b|\{HOME\})/, homedir());
}
