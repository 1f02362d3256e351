// Every option of `failover run`, one row each: what it takes, its default, limits and sentence.
import { LOG_FORMATS, START_ROLES, STRATEGIES } from './choices.ts';
import { RUN, RUN_AND_PROXY } from './row-kinds.ts';
import { COMMAND_OPTIONS } from './command-options.ts';
import { HEALTH_OPTIONS } from './health-options.ts';
import { NETWORK_OPTIONS } from './network-options.ts';
import { PEER_OPTIONS } from './peer-options.ts';
import type { OptionRow } from './option-row.ts';
import { PROXY_OPTION_ROWS } from './proxy-options.ts';
import { UP_OPTION_ROWS } from './up-options.ts';
import { DETECTION_OPTIONS, LEASE_OPTIONS, TAKEOVER_OPTIONS } from './takeover-options.ts';

/** What each node is: two of these every command takes. */
const NODE_OPTIONS: readonly Omit<OptionRow, 'heading'>[] = [
  {
    key: 'group',
    short: '-g',
    kind: 'string',
    default: 'default',
    placeholder: 'NAME',
    sentence: 'The group: of all nodes with this name one is active.',
    takenBy: 'every command',
    variableReadBy: 'clients',
  },
  {
    key: 'stateDir',
    kind: 'string',
    default: null,
    defaultText: '$XDG_STATE_HOME/failover; root: /var/lib/failover',
    placeholder: 'DIR',
    sentence:
      'Where leases, epochs and records are kept, on a local file system; with --lease-ttl on one that several machines share.',
    takenBy: 'every command',
    variableReadBy: 'clients',
  },
  {
    key: 'node',
    kind: 'string',
    default: null,
    defaultText: '<hostname>-<pid>',
    placeholder: 'ID',
    sentence: 'The id of this node, unique in its group.',
    takenBy: 'run',
    variableReadBy: 'nobody',
  },
  {
    key: 'role',
    kind: 'enum',
    choices: START_ROLES,
    default: 'auto',
    placeholder: 'ROLE',
    sentence:
      'auto: lead if nobody does, else stand by; primary: lead at once or exit 4; secondary: listen for one heartbeat timeout before it leads.',
    takenBy: 'run',
    variableReadBy: 'nobody',
  },
  {
    ...RUN,
    key: 'priority',
    kind: 'integer',
    min: 0,
    max: 1_000_000,
    default: '100',
    placeholder: 'N',
    sentence: 'The place in the order of succession: a lower number goes first; 0 never leads.',
  },
  {
    ...RUN,
    key: 'strategy',
    kind: 'enum',
    choices: STRATEGIES,
    default: 'race',
    placeholder: 'STRATEGY',
    sentence:
      'Who leads when several could: race: whoever is first; priority: the lowest --priority, of equal ones the lowest id, which the others wait for.',
  },
  {
    ...RUN,
    key: 'preempt',
    kind: 'boolean',
    default: 'false',
    sentence:
      'With --strategy priority: take the lead, in order, from a primary with a higher number.',
  },
  {
    ...RUN_AND_PROXY,
    key: 'logFormat',
    kind: 'enum',
    choices: LOG_FORMATS,
    default: 'pretty',
    placeholder: 'FORMAT',
    sentence: "The form of failover's own lines on stderr.",
  },
  {
    ...RUN_AND_PROXY,
    key: 'quiet',
    kind: 'boolean',
    default: 'false',
    sentence: 'Print only warnings and errors.',
  },
];

/** Every option of `failover run`, and the two that each command takes, in the order of the manual. */
export const OPTION_ROWS: readonly OptionRow[] = [
  ...under(null, NODE_OPTIONS),
  ...under('The command and its hooks:', COMMAND_OPTIONS),
  ...under('The health of the command:', HEALTH_OPTIONS),
  ...under('Takeover:', TAKEOVER_OPTIONS),
  ...under('How a lost primary is noticed:', DETECTION_OPTIONS),
  ...under('A lease on a server:', LEASE_OPTIONS),
  ...under('A lease among the nodes themselves:', PEER_OPTIONS),
  ...under('How nodes reach each other:', NETWORK_OPTIONS),
];

/** Every option of `failover proxy` that is its own. */
export const PROXY_ROWS: readonly OptionRow[] = under(null, PROXY_OPTION_ROWS);

/** Every option of `failover up` that is its own. */
export const UP_ROWS: readonly OptionRow[] = under(null, UP_OPTION_ROWS);

function under(heading: string | null, rows: readonly Omit<OptionRow, 'heading'>[]): OptionRow[] {
  return rows.map((row) => ({ ...row, heading }));
}
