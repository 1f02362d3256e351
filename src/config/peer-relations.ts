// What must hold between the settings of a lease that the nodes agree on among themselves.
import { PEER_LIMIT } from '../core/peer-table.ts';
import { parseLease } from './lease-url.ts';
import { parsePeerAddresses } from './peer-address.ts';
import type { RunOptions } from './load.ts';
import type { Relation } from './relations.ts';

export const PEER_RELATIONS: readonly Relation[] = [
  onlyPeersHaveAddresses,
  peersAreNamed,
  peersShareSecret,
  peersDoNotRace,
];

type Show = Parameters<Relation>[1];

function onlyPeersHaveAddresses(options: RunOptions, show: Show): ReturnType<Relation> {
  const key = (['peers', 'peerAddress'] as const).find((candidate) => options[candidate] !== null);
  if (isOfPeers(options) || key === undefined) return null;
  return {
    fact: `${show(key)} applies only to --lease peers, not to ${show('lease')}`,
    hint: 'Use --lease peers, or omit it.',
  };
}

function peersAreNamed(options: RunOptions, show: Show): ReturnType<Relation> {
  if (!isOfPeers(options)) return null;
  const count = options.peers === null ? 0 : parsePeerAddresses(options.peers, '--peers').length;
  if (count === 0) {
    return {
      fact: `${show('lease')} is agreed with other nodes, but none are listed`,
      hint: 'Set --peers to the addresses of all nodes, such as http://10.0.0.1:7400,http://10.0.0.2:7400.',
    };
  }
  if (count <= PEER_LIMIT) return null;
  return {
    fact: `${show('peers')} has ${String(count)} addresses`,
    hint: `Give at most ${String(PEER_LIMIT)}.`,
  };
}

/** Without one, whoever reaches the port could lead. */
function peersShareSecret(options: RunOptions, show: Show): ReturnType<Relation> {
  if (!isOfPeers(options) || options.secretFile !== null) return null;
  return {
    fact: `with ${show('lease')} anyone who can reach this node could take the lead from it`,
    hint: 'Generate a secret with `openssl rand -base64 32` and set --secret-file on all nodes.',
  };
}

/** Among peers the order decides who leads, whatever is said; the default is no wish for anything. */
function peersDoNotRace(
  options: RunOptions,
  show: Show,
  isGiven: Parameters<Relation>[2],
): ReturnType<Relation> {
  if (!isOfPeers(options) || options.strategy !== 'race' || !isGiven('strategy')) return null;
  return {
    fact: `with ${show('lease')} nodes lead in the order of --priority and id, which excludes ${show('strategy')}`,
    hint: 'Omit --strategy, or use a lease on a server, where the first node to claim it leads.',
  };
}

function isOfPeers({ lease }: RunOptions): boolean {
  return parseLease(lease).kind === 'peers';
}
