// The options of `failover up` that are its own, and which of those of `run` are for its process as a whole.
import type { OptionRow } from './option-row.ts';

export const UP_OPTION_ROWS: readonly Omit<OptionRow, 'heading'>[] = [
  {
    takenBy: 'up',
    variableReadBy: 'run',
    key: 'file',
    short: '-f',
    kind: 'string',
    default: 'failover.yaml',
    placeholder: 'FILE',
    sentence: 'Group file.',
  },
  {
    takenBy: 'up',
    variableReadBy: 'run',
    key: 'prefix',
    kind: 'boolean',
    default: 'false',
    sentence: 'Prefix each line that a command or hook prints with its group name.',
  },
];

/** What a group of several is not told: its name is its key in the file. */
export const NOT_OF_UP: readonly string[] = ['group'];

/**
 * What all groups of one process have in common, by key: its sockets, its directory, its server of HTTP, its own lines. In the file
 * these stand beside `groups`, and `failover up` takes them as flags.
 */
export const PROCESS_KEYS = [
  'stateDir',
  'node',
  'bind',
  'advertise',
  'keyFile',
  'authorizedKeys',
  'insecure',
  'secretFile',
  'http',
  'httpTokenFile',
  'logFormat',
  'quiet',
  'prefix',
] as const;

/** Of these the groups themselves hear nothing: one server answers for all of them. */
export const SERVER_KEYS: readonly string[] = ['http', 'httpTokenFile'];
