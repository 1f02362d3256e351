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
    throw notKnown(
      `${which} on this machine, but the other nodes must reach this node at exactly one`,
    );
  }
  const { protocol, pathname } = new URL(only);
  if (protocol === 'http:' && pathname === '/') return only;
  throw notKnown(`${only} is on this machine, but this node serves http on a port, without a path`);
}

/**
 * The addresses of the others.
 *
 * @throws FAILOVER_SETTINGS_CONFLICT when several were given, and all are its own: it would lead, and so would the other
 *   that somebody meant
 */
export function otherAddresses(peers: readonly string[], own: string): readonly string[] {
  const others = [...new Set(peers)].filter((peer) => !isSamePlace(peer, own));
  if (others.length > 0 || peers.length < 2) return others;
  const which = peers.length === 2 ? 'both' : 'all';
  const fact = `${peers.join(' and ')} are ${which} this node, and no other is left`;
  throw conflict(fact, 'Give each node an address of its own in --peers.');
}

function notKnown(fact: string): FailoverError {
  return conflict(fact, 'Set --peer-address to the address of this node.');
}

function conflict(fact: string, hint: string): FailoverError {
  return new FailoverError('FAILOVER_SETTINGS_CONFLICT', `Cannot run: ${fact}`, { hint });
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
