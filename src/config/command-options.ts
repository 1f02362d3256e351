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
      'What a secondary keeps ready. cold: nothing, the command starts at promotion; armed: a process that waits just before exec; hot: the command runs on every node and is told its role.',
  },
  {
    ...RUN,
    key: 'promoteCommand',
    kind: 'command',
    default: null,
    placeholder: 'SH',
    sentence: 'Shell command to run at promotion. If it fails, the promotion fails.',
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
    sentence: 'Signal that tells a hot command that it is now primary.',
  },
  {
    ...RUN,
    key: 'demoteSignal',
    kind: 'signal',
    default: null,
    placeholder: 'SIGNAL',
    sentence: 'Signal that tells a hot command that it is now secondary.',
  },
  {
    ...DURATION,
    key: 'promoteTimeout',
    default: '30s',
    sentence: 'Time limit for the promote command.',
  },
  {
    ...DURATION,
    key: 'demoteTimeout',
    default: '10s',
    sentence: 'Time limit for the demote command.',
  },
  {
    ...RUN,
    key: 'readyWhen',
    kind: 'ready-when',
    default: null,
    placeholder: 'CHECK',
    sentence:
      'Condition that completes a promotion: http(s)://…, tcp://HOST:PORT, exec:COMMAND or log:/REGEXP/.',
  },
  {
    ...DURATION,
    key: 'readyTimeout',
    default: '30s',
    sentence: 'Time limit for the command to become ready.',
  },
  {
    ...RUN,
    key: 'restart',
    kind: 'enum',
    choices: RESTART_MODES,
    default: 'always',
    placeholder: 'MODE',
    sentence:
      'always: restart after any exit; on-failure: exit code 0 completes the work and stops the whole group; never: exit with the command, so another node takes over.',
  },
  {
    ...RUN,
    key: 'restartLimit',
    kind: 'integer',
    min: 0,
    max: 1000,
    default: '3',
    placeholder: 'N',
    sentence: 'Restarts allowed on this node within --restart-window before it steps down.',
  },
  {
    ...DURATION,
    key: 'restartWindow',
    default: '60s',
    sentence: 'Time window in which restarts are counted.',
  },
  {
    ...GRACE,
    key: 'coolOff',
    default: '30s',
    sentence:
      'How long a node stays out of the lead after exceeding --restart-limit; doubles each time.',
  },
  {
    ...GRACE,
    key: 'stopGrace',
    default: '10s',
    sentence: 'Time between SIGTERM and SIGKILL when stopping the command.',
  },
  {
    ...GRACE,
    key: 'drain',
    default: '0s',
    sentence:
      'How long a planned demotion waits before the demote command. With proxies it ends as soon as they are drained, after at most this or 5s, whichever is longer.',
  },
];
