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
      'How nodes reach each other: `ipc`, sockets of this machine; or those and tcp://ADDRESS:PORT, with the next port for requests. A port of 0 or `*` is chosen by the system.',
  },
  {
    ...RUN,
    key: 'advertise',
    kind: 'string',
    default: null,
    defaultText: 'the address of --bind',
    placeholder: 'HOST[:PORT]',
    sentence: 'Where other machines reach this node over TCP.',
  },
  {
    ...RUN,
    key: 'target',
    kind: 'string',
    default: null,
    placeholder: 'URL',
    sentence:
      'Where the command is reached while it leads, as http://HOST:PORT or tcp://HOST:PORT: `failover proxy` forwards there.',
  },
  {
    ...RUN,
    key: 'proxy',
    kind: 'string',
    default: null,
    placeholder: 'ADDRESS',
    sentence:
      'Pass on to the primary, in this process, what comes at HOST:PORT, as `failover proxy --listen` does.',
  },
  {
    ...RUN,
    key: 'http',
    kind: 'string',
    mayBePort: true,
    default: null,
    placeholder: 'ADDRESS',
    sentence:
      'Answer over HTTP at HOST:PORT, or PORT of 127.0.0.1: /primary, /secondary, /health, /liveness, /readiness and /metrics; /status and /events of whole groups; and a dashboard for browsers.',
  },
  {
    ...RUN,
    key: 'httpTokenFile',
    kind: 'string',
    default: null,
    placeholder: 'PATH',
    sentence:
      'A token with which groups can be changed over --http; without one they are only shown. Read again when it changes.',
  },
  {
    ...RUN,
    key: 'keyFile',
    kind: 'string',
    default: null,
    placeholder: 'PATH',
    sentence: "This node's secret key, made by `failover keygen`: TCP is encrypted with it.",
  },
  {
    ...RUN,
    key: 'authorizedKeys',
    kind: 'string',
    default: null,
    defaultText: 'its own, so that nodes share one',
    placeholder: 'PATH',
    sentence:
      'The public keys of the nodes that may connect, one a line; read again when it changes.',
  },
  {
    ...RUN,
    key: 'insecure',
    kind: 'boolean',
    default: 'false',
    sentence: 'TCP without keys: whoever reaches the port can read all, and order this node about.',
  },
  {
    ...RUN,
    key: 'secretFile',
    kind: 'string',
    default: null,
    placeholder: 'PATH',
    sentence:
      'A secret that all nodes of the group share: what they say to each other is signed with it, and refused without.',
  },
];
