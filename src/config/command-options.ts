// The options of `failover run` about its command: how it stands by, is told, restarted and stopped.
import { RESTART_MODES, STANDBY_MODES } from './choices.ts';
import { DURATION, GRACE, RUN } from './row-kinds.ts';
import type { OptionRow } from './option-row.ts';

type Row = Omit<OptionRow, 'heading'>;

export const COMMAND_OPTIONS: readonly Row[] = [
  {
    ...RUN,
    key: 'standby',
    kind: 'enum',
    choices: STANDBY_MODES,
    default: 'cold',
    placeholder: 'MODE',
    sentence:
      'cold: start the command at promotion; armed: have it ready up to its exec; hot: run it everywhere and tell it its role.',
  },
  {
    ...RUN,
    key: 'promoteCommand',
    kind: 'command',
    default: null,
    placeholder: 'SH',
    sentence: 'Shell command to run at promotion; if it fails, the promotion failed.',
  },
  {
    ...RUN,
    key: 'demoteCommand',
    kind: 'command',
    default: null,
    placeholder: 'SH',
    sentence: 'Shell command to run at demotion, before the command is stopped.',
  },
  {
    ...RUN,
    key: 'promoteSignal',
    kind: 'signal',
    default: null,
    placeholder: 'SIGNAL',
    sentence: 'Signal that tells a hot command that it is primary.',
  },
  {
    ...RUN,
    key: 'demoteSignal',
    kind: 'signal',
    default: null,
    placeholder: 'SIGNAL',
    sentence: 'Signal that tells a hot command that it is secondary.',
  },
  {
    ...DURATION,
    key: 'promoteTimeout',
    default: '30s',
    sentence: 'How long the promote command may take.',
  },
  {
    ...DURATION,
    key: 'demoteTimeout',
    default: '10s',
    sentence: 'How long the demote command may take.',
  },
  {
    ...RUN,
    key: 'readyWhen',
    kind: 'ready-when',
    default: null,
    placeholder: 'CHECK',
    sentence:
      'The promotion is complete only when this holds: http(s)://…, tcp://HOST:PORT, exec:COMMAND or log:/REGEXP/.',
  },
  {
    ...DURATION,
    key: 'readyTimeout',
    default: '30s',
    sentence: 'How long the command may take to become ready.',
  },
  {
    ...RUN,
    key: 'restart',
    kind: 'enum',
    choices: RESTART_MODES,
    default: 'always',
    placeholder: 'MODE',
    sentence:
      'always: start it again however it ends; on-failure: exit 0 completes the work, and the whole group ends; never: the node ends with it, and another takes over.',
  },
  {
    ...RUN,
    key: 'restartLimit',
    kind: 'integer',
    min: 0,
    max: 1000,
    default: '3',
    placeholder: 'N',
    sentence:
      'How often it is started again here within --restart-window before the node steps down.',
  },
  {
    ...DURATION,
    key: 'restartWindow',
    default: '60s',
    sentence: 'The time over which those restarts are counted.',
  },
  {
    ...GRACE,
    key: 'coolOff',
    default: '30s',
    sentence:
      'How long a node that stepped down over its restarts does not lead; doubles each time.',
  },
  {
    ...GRACE,
    key: 'stopGrace',
    default: '10s',
    sentence: 'Between SIGTERM and SIGKILL when the command is stopped.',
  },
  {
    ...GRACE,
    key: 'drain',
    default: '0s',
    sentence:
      'How long a planned demotion waits before the demote command and the stop; with proxies until nothing is under way, at most 5s or this.',
  },
];
