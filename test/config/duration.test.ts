// Durations: what is read, what is refused, and that both directions agree.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DURATION_MS, formatDuration, parseDuration } from '../../src/config/duration.ts';
import { failureOf } from '../support/failover-error.ts';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['250ms', 250],
    ['2s', 2000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['1h2m3s4ms', 3_723_004],
    ['90m', 5_400_000],
    ['8760h', MAX_DURATION_MS],
  ])('reads %s as %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each([
    '',
    ' ',
    '5',
    '2 s',
    '-1s',
    '1.5s',
    '1s2m',
    '1s1s',
    '2d',
    '2S',
    's',
    '1e3ms',
    '٣s',
    '2s\n',
  ])('refuses %j, naming the value and the forms', (text) => {
    const error = failureOf(() => parseDuration(text, '--drain'));
    expect(error.code).toBe('FAILOVER_BAD_OPTION');
    expect(error.message).toBe(`Cannot use --drain: "${text}" is not a duration`);
    expect(error.hint).toBe('Give --drain a duration: 250ms, 2s, 1m30s, 1h or 0.');
  });

  it.each(['8760h1ms', '9999999999h', `${'9'.repeat(400)}ms`])('refuses %s: too long', (text) => {
    const error = failureOf(() => parseDuration(text));
    expect(error.code).toBe('FAILOVER_BAD_OPTION');
    expect(error.message).toContain('is longer than 8760h');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [250, '250ms'],
    [1999.6, '2s'],
    [90_000, '1m30s'],
    [3_600_001, '1h1ms'],
  ])('writes %d ms as %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it('is read back as the same number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
      }),
    );
  });

  it('keeps the value of every written form', () => {
    const part = fc.option(fc.integer({ min: 0, max: 2000 }), { nil: null });
    fc.assert(
      fc.property(part, part, part, part, (h, m, s, ms) => {
        const written = [h, m, s, ms].map((n, i) =>
          n === null ? '' : `${String(n)}${UNITS[i] ?? ''}`,
        );
        fc.pre(written.join('') !== '');
        const canonical = formatDuration(parseDuration(written.join('')));
        expect(parseDuration(canonical)).toBe(parseDuration(written.join('')));
      }),
    );
  });
});

const UNITS = ['h', 'm', 's', 'ms'];
