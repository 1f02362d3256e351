// The options of `failover proxy`: where it listens, where it goes, what it holds and for how long.
import { PROXY_MODES, READ_FROM } from './choices.ts';
import { MAX_MS } from './row-kinds.ts';
import type { OptionRow } from './option-row.ts';

type Row = Omit<OptionRow, 'heading'>;

/** An option of `proxy` that its variable sets too. */
const PROXY: Pick<OptionRow, 'takenBy' | 'variableReadBy'> = {
  takenBy: 'proxy',
  variableReadBy: 'proxy',
};

const TIME = { ...PROXY, kind: 'duration', placeholder: 'TIME', min: 10, max: MAX_MS } as const;
const NUMBER = { ...PROXY, kind: 'integer', placeholder: 'N', min: 1 } as const;
const SIZE = { ...PROXY, kind: 'size', placeholder: 'SIZE' } as const;

const MIB = 1024 * 1024;

export const PROXY_OPTION_ROWS: readonly Row[] = [
  {
    ...PROXY,
    key: 'listen',
    kind: 'string',
    default: null,
    placeholder: 'ADDRESS',
    sentence:
      'Address for clients: HOST:PORT, or :PORT for all addresses. Port 0 lets the system choose.',
  },
  {
    ...PROXY,
    key: 'to',
    kind: 'string',
    default: null,
    defaultText: 'the primary of the group',
    placeholder: 'URL',
    sentence:
      'Forward to this server instead of a group; of several, separated by commas, to the first that answers.',
  },
  {
    ...PROXY,
    key: 'mode',
    kind: 'enum',
    choices: PROXY_MODES,
    default: 'http',
    placeholder: 'MODE',
    sentence: 'http: hold requests and retry them where that is safe; tcp: hold connections.',
  },
  {
    ...PROXY,
    key: 'readFrom',
    kind: 'enum',
    choices: READ_FROM,
    default: 'primary',
    placeholder: 'NODES',
    sentence:
      'Who serves GET and HEAD: the primary; any node whose target accepts connections; or secondaries, and the primary if there are none.',
  },
  {
    ...TIME,
    key: 'hold',
    default: '30s',
    min: 0,
    sentence: 'How long a request or connection may wait for a primary in total.',
  },
  {
    ...NUMBER,
    key: 'holdMax',
    default: '10000',
    max: 1_000_000,
    sentence: 'Maximum held requests; further ones get 503.',
  },
  {
    ...SIZE,
    key: 'holdMaxBytes',
    default: '64MiB',
    min: 0,
    max: 1024 * MIB,
    sentence: 'Maximum total size of buffered bodies, of requests that are held or may be retried.',
  },
  {
    ...SIZE,
    key: 'repeatMaxBytes',
    default: '1MiB',
    min: 0,
    max: 256 * MIB,
    sentence: 'Maximum body size that is buffered so the request can be retried.',
  },
  {
    ...NUMBER,
    key: 'maxConnections',
    default: '256',
    max: 65_536,
    sentence: 'Maximum concurrent requests or connections to the primary; others wait.',
  },
  {
    ...NUMBER,
    key: 'maxClients',
    default: '20000',
    max: 1_000_000,
    sentence: 'Maximum concurrent client connections.',
  },
  {
    ...SIZE,
    key: 'maxHeaderSize',
    default: '16KiB',
    min: 1024,
    max: MIB,
    sentence: 'Maximum size of request or response headers.',
  },
  {
    ...TIME,
    key: 'headerTimeout',
    default: '10s',
    sentence: 'Time limit for a client to send its headers.',
  },
  {
    ...TIME,
    key: 'requestTimeout',
    default: '5m',
    sentence: 'Time limit for a client to send a whole request.',
  },
  {
    ...TIME,
    key: 'answerTimeout',
    default: '60s',
    sentence: 'Time limit for the primary to start a response; then the client gets 504.',
  },
  {
    ...TIME,
    key: 'idleTimeout',
    default: '1h',
    sentence:
      'Close a response or connection on which nothing has been read or written for this long.',
  },
];
