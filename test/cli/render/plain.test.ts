// Times for people, and text of others made safe.
import { expect, it } from 'vitest';
import { humanMs, printable } from '../../../src/cli/render/plain.ts';
import { table, wrap } from '../../../src/cli/render/table.ts';
import { createPaint } from '../../../src/cli/render/paint.ts';

it.each([
  [0, '0 ms'],
  [8.13, '8.1 ms'],
  [34.4, '34 ms'],
  [999, '999 ms'],
  [1000, '1.0 s'],
  [59_990, '59.9 s'],
  [92_000, '1m 32s'],
  [3_660_000, '1h 1m'],
  [3 * 86_400_000 + 3_600_000, '3d 1h'],
])('%d ms reads as %s', (durationMs, text) => {
  expect(humanMs(durationMs)).toBe(text);
});

it('control and direction characters of a text are not printed', () => {
  expect(printable('a\u001B]0;title\u0007b\u202Ec\r\n')).toBe('a ]0;title b c');
});

it('a table aligns its columns, also where cells are coloured', () => {
  const { good } = createPaint(1);
  const lines = table([
    ['NODE', 'ROLE'],
    ['a', good('primary')],
    ['longer', 'x'],
  ]);
  expect(lines).toEqual(['NODE    ROLE', `a       ${good('primary')}`, 'longer  x']);
});

it('a line that does not fit is continued on the next', () => {
  expect(wrap('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
  expect(wrap(createPaint(1).bad('abc'), 3)).toEqual([createPaint(1).bad('abc')]);
});
