// The options of `failover run` about a lease that the nodes agree on among themselves.
import { RUN } from './row-kinds.ts';
import type { OptionRow } from './option-row.ts';

export const PEER_OPTIONS: readonly Omit<OptionRow, 'heading'>[] = [
  {
    ...RUN,
    key: 'peers',
    kind: 'string',
    default: null,
    placeholder: 'URL,…',
    sentence:
      "With --lease peers: the addresses where the nodes of the group listen for each other, each http://HOST:PORT. May include this node's own.",
  },
  {
    ...RUN,
    key: 'peerAddress',
    kind: 'string',
    default: null,
    defaultText: 'the one of --peers that is of this machine',
    placeholder: 'URL',
    sentence:
      "Which address in --peers is this node's own. Needed if several, or none, belong to this machine.",
  },
];
