// The options of `failover run` about the health of its command: what is asked, how often, and what counts.
import { DURATION, GRACE, RUN } from './row-kinds.ts';
import type { OptionRow } from './option-row.ts';

export const HEALTH_OPTIONS: readonly Omit<OptionRow, 'heading'>[] = [
  {
    ...RUN,
    key: 'health',
    kind: 'health-check',
    default: null,
    placeholder: 'CHECK',
    sentence:
      'Health check of the running command: http(s)://…, tcp://HOST:PORT or exec:COMMAND. An unhealthy primary hands over to a healthy node or restarts its command.',
  },
  {
    ...RUN,
    key: 'standbyHealth',
    kind: 'health-check',
    default: null,
    placeholder: 'CHECK',
    sentence:
      'Health check on a cold or armed standby: whether the command could run there, such as `exec:test -d /mnt/data`. An unhealthy standby takes over only if no other node can.',
  },
  {
    ...DURATION,
    key: 'healthInterval',
    default: '2s',
    sentence: 'Time between health checks.',
  },
  {
    ...DURATION,
    key: 'healthTimeout',
    default: '1s',
    sentence: 'Time limit for one health check; at most --health-interval.',
  },
  {
    ...DURATION,
    key: 'healthFastInterval',
    default: null,
    defaultText: 'a quarter of --health-interval',
    sentence: 'Time between checks while the status is about to change.',
  },
  {
    ...RUN,
    key: 'fall',
    kind: 'integer',
    min: 1,
    max: 1000,
    default: '3',
    placeholder: 'N',
    sentence: 'Consecutive failures before a healthy command counts as unhealthy.',
  },
  {
    ...RUN,
    key: 'rise',
    kind: 'integer',
    min: 1,
    max: 1000,
    default: '2',
    placeholder: 'N',
    sentence: 'Consecutive successes before an unhealthy command counts as healthy.',
  },
  {
    ...GRACE,
    key: 'healthGrace',
    default: '10s',
    sentence: 'How long after a start failed checks are ignored; ends at the first success.',
  },
];
