// Where the groups of one process listen, each at a place of its own: two at one could not both be started.
import type { RunOptions } from '../load.ts';
import { parseHttpAddress, parseListen } from '../proxy-address.ts';
import type { ListenAddress } from '../proxy-address.ts';
import { quotedOpenly } from '../refused-url.ts';
import type { Place, Problems } from './problems.ts';
import type { Setting, Settings } from './settings.ts';

/** A group whose settings are right, each by itself. */
export interface Listening {
  readonly group: string;
  readonly place: Place;
  readonly settings: Settings;
  readonly options: RunOptions;
}

/** What the process itself listens at for HTTP. */
export interface Server {
  readonly http: string | null;
  /** Null: the file does not say it. */
  readonly setting: Setting | null;
}

/** One address of a file. */
interface Listener {
  readonly key: 'http' | 'peerAddress' | 'proxy';
  /** Null: the process. */
  readonly group: string | null;
  readonly setting: Setting | null;
  readonly place: Place | null;
  /** Where that is, in one way of writing it. */
  readonly at: string;
}

export function refuseSameAddresses(
  groups: readonly Listening[],
  server: Server,
  problems: Problems,
): void {
  const taken = new Ports();
  if (server.http !== null) {
    const { setting } = server;
    const address = parseHttpAddress(server.http);
    const at = writtenOf(address);
    taken.take(address, { key: 'http', group: null, setting, place: setting, at });
  }
  const peers = new Map<string, Listener>();
  for (const { group, place, settings, options } of groups) {
    const listener = (key: Listener['key'], at: string): Listener => {
      const setting = settings.values.get(key) ?? null;
      return { key, group, setting, place: setting ?? place, at };
    };
    if (options.proxy !== null) {
      const address = parseListen(options.proxy);
      const candidate = listener('proxy', writtenOf(address));
      const other = taken.take(address, candidate);
      if (other !== null) refuse(candidate, other, problems);
    }
    if (options.peerAddress !== null) {
      const candidate = listener('peerAddress', options.peerAddress);
      const other = peers.get(options.peerAddress);
      if (other === undefined) peers.set(options.peerAddress, candidate);
      else refuse(candidate, other, problems);
    }
  }
}

/** Who listens at each port, and at which of the addresses of this machine. */
class Ports {
  readonly #hosts = new Map<number, Map<string, Listener>>();

  /** Null: nobody else has it, or the system chooses a port. */
  take({ host, port }: ListenAddress, listener: Listener): Listener | null {
    if (port === 0) return null;
    const name = nameOf(host);
    const hosts = this.#hosts.get(port) ?? new Map<string, Listener>();
    this.#hosts.set(port, hosts);
    const other = conflictIn(hosts, name);
    if (other === null) hosts.set(name, listener);
    return other;
  }
}

/** All addresses of this machine, and all of IPv4. */
const ALL = '::';
const ALL_OF_IPV4 = '0.0.0.0';

function nameOf(host: string | null): string {
  return host === null ? ALL : host.toLowerCase();
}

function writtenOf({ host, port }: ListenAddress): string {
  return `${nameOf(host)} ${String(port)}`;
}

/** Who listens at all addresses listens at each. Two names for one address are not known for that here. */
function conflictIn(hosts: ReadonlyMap<string, Listener>, name: string): Listener | null {
  const [first] = hosts.values();
  if (name === ALL) return first ?? null;
  const isOfIpv4 = !name.includes(':');
  if (name === ALL_OF_IPV4) {
    for (const [known, other] of hosts) if (known === ALL || !known.includes(':')) return other;
    return null;
  }
  return hosts.get(name) ?? hosts.get(ALL) ?? (isOfIpv4 ? hosts.get(ALL_OF_IPV4) : null) ?? null;
}

function refuse(candidate: Listener, other: Listener, problems: Problems): void {
  const { key, group, setting, place } = candidate;
  const whose = other.group === null ? other.key : `group ${other.group}`;
  const value = shownOf(setting) ?? 'it';
  const what =
    candidate.at === other.at
      ? `${value} is also used by ${whose}`
      : `${value} and the address of ${whose} are the same port here`;
  const where =
    other.place === null
      ? ''
      : ` (line ${String(other.place.line)}, column ${String(other.place.column)})`;
  const fact = `Cannot use ${key} of group ${String(group)}: ${what}${where}`;
  problems.add(place ?? START, fact, 'Give each its own address.');
}

function shownOf(setting: Setting | null): string | null {
  const text = setting?.written ?? setting?.text ?? null;
  return text === null ? null : quotedOpenly(text);
}

const START: Place = { line: 1, column: 1 };
