// Which of the addresses of a group is that of this node: its own, as it is told, or the one that is of this machine.
import { hostname, networkInterfaces } from 'node:os';
import { isSamePlace } from '../../config/peer-address.ts';
import { FailoverError } from '../../errors.ts';

/** What is asked of the machine; replaced by tests. */
export interface OwnNames {
  readonly names: readonly string[];
}

/** @throws FAILOVER_SETTINGS_CONFLICT when none of them is of this machine, several are, or it can't listen there */
export function ownAddress(
  peers: readonly string[],
  told: string | null,
  own: OwnNames = namesOfMachine(),
): string {
  if (told !== null) return told;
  const names = new Set(own.names.map((name) => name.toLowerCase()));
  const mine = peers.filter((peer) => names.has(hostOf(peer)));
  const [only] = mine;
  if (only === undefined || mine.length > 1) {
    const which = mine.length === 0 ? 'none of --peers is' : `${mine.join(' and ')} are`;
    throw notKnown(`${which} of this machine, and the others have to reach this node at one`);
  }
  const { protocol, pathname } = new URL(only);
  if (protocol === 'http:' && pathname === '/') return only;
  throw notKnown(`${only} is of this machine, and this node speaks http at a port without a path`);
}

/** The addresses of the others. */
export function otherAddresses(peers: readonly string[], own: string): readonly string[] {
  return [...new Set(peers)].filter((peer) => !isSamePlace(peer, own));
}

function notKnown(fact: string): FailoverError {
  return new FailoverError('FAILOVER_SETTINGS_CONFLICT', `Cannot run: ${fact}`, {
    hint: 'Say which is that of this node with --peer-address.',
  });
}

function namesOfMachine(): OwnNames {
  const addresses = Object.values(networkInterfaces())
    .flatMap((known) => known ?? [])
    .map(({ address }) => address.replace(/%.*$/, ''));
  return { names: ['localhost', hostname(), ...addresses] };
}

function hostOf(address: string): string {
  return new URL(address).hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}
