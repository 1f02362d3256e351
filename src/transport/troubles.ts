// What a person has to know who set the nodes of a group up differently: a sentence with what to do.
import type { Endpoints } from '../core/state.ts';
import type { Distrust } from './counters.ts';

/** Null: it is no fault of a setting, or is told with what it is about. */
export function distrustText(cause: Distrust): string | null {
  switch (cause) {
    case 'unsigned':
      return 'unsigned messages are rejected: use the same --secret-file on every node of the group';
    case 'bad-signature':
      return 'messages signed with another secret are rejected: use the same --secret-file on every node of the group';
    case 'unexpected-signature':
      return "signed messages are rejected: use the other nodes' --secret-file on this node, or remove it from them";
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
    : `${bus} cannot be connected to: use --key-file on both nodes, or --insecure on both`;
}
