// The options of `failover run` about how nodes reach each other.
import { RUN } from './row-kinds.ts';
import type { OptionRow } from './option-row.ts';

/** Of these one is of use on one machine: the secret. */
export const NETWORK_OPTIONS: readonly Omit<OptionRow, 'heading'>[] = [
  {
    ...RUN,
    key: 'bind',
    kind: 'string',
    default: 'ipc',
    placeholder: 'ADDRESS',
    sentence:
      'Address for messages between nodes: `ipc` (sockets on this machine), or tcp://ADDRESS:PORT in addition; requests use the next port. Port 0 or `*` lets the system choose.',
  },
  {
    ...RUN,
    key: 'advertise',
    kind: 'string',
    default: null,
    defaultText: 'the address of --bind',
    placeholder: 'HOST[:PORT]',
    sentence: 'Address at which other machines reach this node over TCP.',
  },
  {
    ...RUN,
    key: 'target',
    kind: 'string',
    default: null,
    placeholder: 'URL',
    sentence:
      'Address of the command while it leads, http://HOST:PORT or tcp://HOST:PORT. `failover proxy` forwards there.',
  },
  {
    ...RUN,
    key: 'proxy',
    kind: 'string',
    default: null,
    placeholder: 'ADDRESS',
    sentence:
      'Listen on HOST:PORT in this process and forward to the primary, as `failover proxy --listen` does.',
  },
  {
    ...RUN,
    key: 'http',
    kind: 'string',
    mayBePort: true,
    default: null,
    placeholder: 'ADDRESS',
    sentence:
      'Serve HTTP on HOST:PORT, or on PORT of 127.0.0.1: /primary, /secondary, /health, /liveness, /readiness and /metrics; /status and /events of whole groups; and a browser dashboard.',
  },
  {
    ...RUN,
    key: 'httpTokenFile',
    kind: 'string',
    default: null,
    placeholder: 'PATH',
    sentence:
      'File with the token that permits changes to groups over --http; without it, HTTP is read-only. Reloaded when it changes.',
  },
  {
    ...RUN,
    key: 'keyFile',
    kind: 'string',
    default: null,
    placeholder: 'PATH',
    sentence: 'Secret key of this node, made by `failover keygen`. Encrypts TCP.',
  },
  {
    ...RUN,
    key: 'authorizedKeys',
    kind: 'string',
    default: null,
    defaultText: 'its own, so that nodes share one',
    placeholder: 'PATH',
    sentence:
      'File with the public keys of the nodes that may connect, one per line. Reloaded when it changes.',
  },
  {
    ...RUN,
    key: 'insecure',
    kind: 'boolean',
    default: 'false',
    sentence:
      'Allow unencrypted TCP. Anyone who can reach the port can read messages and control this node.',
  },
  {
    ...RUN,
    key: 'secretFile',
    kind: 'string',
    default: null,
    placeholder: 'PATH',
    sentence:
      'Shared secret of the group. Messages between nodes are signed with it; unsigned ones are dropped.',
  },
];
