// What a person has to know who set the nodes of a group up differently: a sentence with what to do.
import type { Endpoints } from '../core/state.ts';
import type { Distrust } from './counters.ts';

/** Null: it is no fault of a setting, or is told with what it is about. */
export function distrustText(cause: Distrust): string | null {
  switch (cause) {
    case 'unsigned':
      return 'unsigned messages are refused: give every node of the group the same --secret-file';
    case 'bad-signature':
      return 'messages signed with another secret are refused: give every node of the group the same --secret-file';
    case 'unexpected-signature':
      return 'signed messages are refused: give this node the --secret-file of the others, or take it from them';
    case 'repeated':
    case 'unauthorized-key':
    case 'broken-handshake':
      return null;
  }
}

/** What the other side's refusal of this process means. */
export function refusalText({ bus }: Endpoints, what: 'key' | 'handshake'): string {
  return what === 'key'
    ? `${bus} refuses this node's key: add it to the --authorized-keys there`
    : `${bus} cannot be talked to: give both nodes --key-file, or both --insecure`;
}
