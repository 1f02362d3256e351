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
    sentence: 'Group name. One node of a group is active at a time.',
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
      'Directory for leases, epochs and records, on a local file system; with --lease-ttl, one that several machines share.',
    takenBy: 'every command',
    variableReadBy: 'clients',
  },
  {
    key: 'node',
    kind: 'string',
    default: null,
    defaultText: '<hostname>-<pid>',
    placeholder: 'ID',
    sentence: 'Node id, unique within the group.',
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
      'auto: claim the lease if nobody leads, otherwise stand by; primary: claim the lease at once or exit with code 4; secondary: listen for one heartbeat timeout before claiming.',
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
    sentence:
      'Position in the order of succession; lower numbers go first. A node with 0 never leads.',
  },
  {
    ...RUN,
    key: 'strategy',
    kind: 'enum',
    choices: STRATEGIES,
    default: 'race',
    placeholder: 'STRATEGY',
    sentence:
      'Who takes a free lease. race: the first to claim it; priority: the node with the lowest --priority, ties broken by lowest id.',
  },
  {
    ...RUN,
    key: 'preempt',
    kind: 'boolean',
    default: 'false',
    sentence: 'With --strategy priority: take over gracefully from a primary with a higher number.',
  },
  {
    ...RUN_AND_PROXY,
    key: 'logFormat',
    kind: 'enum',
    choices: LOG_FORMATS,
    default: 'pretty',
    placeholder: 'FORMAT',
    sentence: 'Log format on stderr.',
  },
  {
    ...RUN_AND_PROXY,
    key: 'quiet',
    kind: 'boolean',
    default: 'false',
    sentence: 'Log only warnings and errors.',
  },
];

/** Every option of `failover run`, and the two that each command takes, in the order of the manual. */
export const OPTION_ROWS: readonly OptionRow[] = [
  ...under(null, NODE_OPTIONS),
  ...under('Command and hooks:', COMMAND_OPTIONS),
  ...under('Health checks:', HEALTH_OPTIONS),
  ...under('Takeover:', TAKEOVER_OPTIONS),
  ...under('Failure detection:', DETECTION_OPTIONS),
  ...under('Lease timing:', LEASE_OPTIONS),
  ...under('Peers lease:', PEER_OPTIONS),
  ...under('Network:', NETWORK_OPTIONS),
];

/** Every option of `failover proxy` that is its own. */
export const PROXY_ROWS: readonly OptionRow[] = under(null, PROXY_OPTION_ROWS);

/** Every option of `failover up` that is its own. */
export const UP_ROWS: readonly OptionRow[] = under(null, UP_OPTION_ROWS);

function under(heading: string | null, rows: readonly Omit<OptionRow, 'heading'>[]): OptionRow[] {
  return rows.map((row) => ({ ...row, heading }));
}
