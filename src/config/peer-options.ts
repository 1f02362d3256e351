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
      'With --lease peers: where all nodes of the group listen for each other, http://HOST:PORT each; that of this node may be among them.',
  },
  {
    ...RUN,
    key: 'peerAddress',
    kind: 'string',
    default: null,
    defaultText: 'the one of --peers that is of this machine',
    placeholder: 'URL',
    sentence: 'Which of them is that of this node, if several are of its machine, or none.',
  },
];
