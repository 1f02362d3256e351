// Text of others made safe, and tables.
import { expect, it } from 'vitest';
import { printable } from '../../../src/cli/render/plain.ts';
import { table, wrap } from '../../../src/cli/render/table.ts';
import { createPaint } from '../../../src/cli/render/paint.ts';

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
