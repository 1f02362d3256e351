// Where the groups of one process listen, each at a place of its own: two at one could not both be started.
import type { RunOptions } from '../load.ts';
import { parseListen } from '../proxy-address.ts';
import { quotedOpenly } from '../refused-url.ts';
import type { Place, Problems } from './problems.ts';
import type { Settings } from './settings.ts';

/** A group whose settings are right, each by itself. */
export interface Listening {
  readonly group: string;
  readonly place: Place;
  readonly settings: Settings;
  readonly options: RunOptions;
}

export function refuseSameAddresses(groups: readonly Listening[], problems: Problems): void {
  for (const key of ['proxy', 'peerAddress'] as const) {
    const first = new Map<string, Listening>();
    for (const candidate of groups) {
      const address = placeOf(key, candidate.options);
      if (address === null) continue;
      const other = first.get(address);
      if (other === undefined) first.set(address, candidate);
      else refuse(key, { candidate, other }, problems);
    }
  }
}

/** Null: none, or one that the system chooses. */
function placeOf(key: 'proxy' | 'peerAddress', options: RunOptions): string | null {
  if (key === 'peerAddress' || options.proxy === null) return options[key];
  const { host, port } = parseListen(options.proxy);
  return port === 0 ? null : `${(host ?? '*').toLowerCase()}:${String(port)}`;
}

function refuse(
  key: string,
  { candidate, other }: { readonly candidate: Listening; readonly other: Listening },
  problems: Problems,
): void {
  const setting = candidate.settings.values.get(key);
  const shown = setting?.written ?? setting?.text ?? null;
  const value = shown === null ? 'it' : quotedOpenly(shown);
  const { line, column } = other.settings.values.get(key) ?? other.place;
  const where = `line ${String(line)}, column ${String(column)}`;
  const fact = `Cannot use ${key} of group ${candidate.group}: ${value} is that of group ${other.group} too (${where})`;
  problems.add(setting ?? candidate.place, fact, 'Give each group one of its own.');
}
