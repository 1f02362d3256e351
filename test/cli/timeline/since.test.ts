// From when on events are told: durations back from now, and times.
import { expect, it } from 'vitest';
import { parseSince } from '../../../src/cli/timeline/since.ts';
import { failureOf } from '../../support/failover-error.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');

it.each([
  ['10m', '2026-03-01T11:50:00.000Z'],
  ['1h30m', '2026-03-01T10:30:00.000Z'],
  ['0', '2026-03-01T12:00:00.000Z'],
  ['2026-02-28T23:59:58.5Z', '2026-02-28T23:59:58.500Z'],
  ['2026-03-01T12:00:00+02:00', '2026-03-01T10:00:00.000Z'],
])('%s', (text, time) => {
  expect(new Date(parseSince(text, NOW)).toISOString()).toBe(time);
});

it('takes a day for the local one, as it does a time without a zone', () => {
  expect(parseSince('2026-02-28', NOW)).toBe(new Date(2026, 1, 28).getTime());
  expect(parseSince('2026-02-28T01:02', NOW)).toBe(new Date(2026, 1, 28, 1, 2).getTime());
});

it.each(['', 'x', '1x', '10', 'yesterday', '2026-13-01', '2026-02-30T99:00', '9999999h', '-1m'])(
  'refuses %j',
  (text) => {
    const error = failureOf(() => parseSince(text, NOW));
    expect(error.code).toBe('FAILOVER_BAD_OPTION');
    expect(error.message).toContain('--since');
  },
);
