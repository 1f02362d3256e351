// What peers have sent over HTTP that was refused, where a node counts whom else it did not believe.
import type { PeerCounters } from '../peers/peer-counters.ts';
import type { TransportCounters } from '../transport/counters.ts';

/** @param peers left out: there are none */
export function withPeers(counters: TransportCounters, peers?: PeerCounters): TransportCounters {
  if (peers === undefined) return counters;
  const { distrusted } = counters;
  return {
    ...counters,
    distrusted: {
      ...distrusted,
      'bad-signature': distrusted['bad-signature'] + peers.unsigned,
      repeated: distrusted.repeated + peers.replayed,
    },
  };
}

/** What to do about it. */
export function peerTroubles(peers?: PeerCounters): readonly string[] {
  if (peers === undefined || peers.unsigned === 0) return [];
  return [
    'this node receives messages that are not signed with its secret: give all nodes of the group the ' +
      'same --secret-file',
  ];
}
