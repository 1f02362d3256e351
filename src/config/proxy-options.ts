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
      'Where clients connect to: HOST:PORT, or :PORT for all addresses. A port of 0 is chosen by the system.',
  },
  {
    ...PROXY,
    key: 'to',
    kind: 'string',
    default: null,
    defaultText: 'the primary of the group',
    placeholder: 'URL',
    sentence:
      'Go to this server in place of a group; of several, with commas, to the first one that answers.',
  },
  {
    ...PROXY,
    key: 'mode',
    kind: 'enum',
    choices: PROXY_MODES,
    default: 'http',
    placeholder: 'MODE',
    sentence: 'http: requests are held, and repeated where that is safe; tcp: connections are.',
  },
  {
    ...PROXY,
    key: 'readFrom',
    kind: 'enum',
    choices: READ_FROM,
    default: 'primary',
    placeholder: 'NODES',
    sentence:
      'Who answers GET and HEAD: the primary; any node whose target accepts connections; secondaries, and the primary where there is none.',
  },
  {
    ...TIME,
    key: 'hold',
    default: '30s',
    min: 0,
    sentence: 'How long a request or connection waits for a primary, in all.',
  },
  {
    ...NUMBER,
    key: 'holdMax',
    default: '10000',
    max: 1_000_000,
    sentence: 'How many may wait at a time; what is more gets 503.',
  },
  {
    ...SIZE,
    key: 'holdMaxBytes',
    default: '64MiB',
    min: 0,
    max: 1024 * MIB,
    sentence: 'How much of bodies is kept in all, of what waits or may have to be repeated.',
  },
  {
    ...SIZE,
    key: 'repeatMaxBytes',
    default: '1MiB',
    min: 0,
    max: 256 * MIB,
    sentence: 'The longest body of a request that is kept so that it can be repeated.',
  },
  {
    ...NUMBER,
    key: 'maxConnections',
    default: '256',
    max: 65_536,
    sentence:
      'How many requests, or connections, are under way to the primary at a time; the others wait.',
  },
  {
    ...NUMBER,
    key: 'maxClients',
    default: '20000',
    max: 1_000_000,
    sentence: 'How many clients may be connected at a time.',
  },
  {
    ...SIZE,
    key: 'maxHeaderSize',
    default: '16KiB',
    min: 1024,
    max: MIB,
    sentence: 'The longest headers of a request, or of an answer.',
  },
  {
    ...TIME,
    key: 'headerTimeout',
    default: '10s',
    sentence: 'How long a client may take for its headers.',
  },
  {
    ...TIME,
    key: 'requestTimeout',
    default: '5m',
    sentence: 'How long a client may take for a whole request.',
  },
  {
    ...TIME,
    key: 'answerTimeout',
    default: '60s',
    sentence: 'How long the primary may take to begin an answer; after that it is 504.',
  },
  {
    ...TIME,
    key: 'idleTimeout',
    default: '1h',
    sentence:
      'How long nothing may come in an answer or be taken of it, or come over a connection, before it is ended.',
  },
];
