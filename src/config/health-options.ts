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
      'Whether the command serves: http(s)://…, tcp://HOST:PORT or exec:COMMAND. A primary that does not serve hands over to a healthy node, or starts its command again.',
  },
  {
    ...RUN,
    key: 'standbyHealth',
    kind: 'health-check',
    default: null,
    placeholder: 'CHECK',
    sentence:
      'The same, asked on a cold or armed standby: whether the command could serve here, such as `exec:test -d /mnt/data`. One that is unhealthy leads only if nobody else can.',
  },
  {
    ...DURATION,
    key: 'healthInterval',
    default: '2s',
    sentence: 'From one check to the next.',
  },
  {
    ...DURATION,
    key: 'healthTimeout',
    default: '1s',
    sentence: 'How long a check may take; at most --health-interval.',
  },
  {
    ...DURATION,
    key: 'healthFastInterval',
    default: null,
    defaultText: 'a quarter of --health-interval',
    sentence: 'From one check to the next while it is not decided if the health changes.',
  },
  {
    ...RUN,
    key: 'fall',
    kind: 'integer',
    min: 1,
    max: 1000,
    default: '3',
    placeholder: 'N',
    sentence: 'Checks in a row that have to fail until what was healthy is unhealthy.',
  },
  {
    ...RUN,
    key: 'rise',
    kind: 'integer',
    min: 1,
    max: 1000,
    default: '2',
    placeholder: 'N',
    sentence: 'Checks in a row that have to pass until what was unhealthy is healthy.',
  },
  {
    ...GRACE,
    key: 'healthGrace',
    default: '10s',
    sentence:
      'After a start of the command failed checks do not count for so long, until one has passed.',
  },
];
