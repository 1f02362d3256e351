import { expect, it, vi } from 'vitest';
import { ParsedOnce } from '../../../src/lease/file/parsed-once.ts';

it('parses a content once for each path, and a changed one anew', () => {
  const parse = vi.fn((content: string) => ({ content }));
  const memory = new ParsedOnce(parse);
  const first = memory.parse('/a', 'one');
  expect(memory.parse('/a', 'one')).toBe(first);
  expect(memory.parse('/b', 'one')).toEqual(first);
  expect(memory.parse('/a', 'two')).toEqual({ content: 'two' });
  expect(memory.parse('/a', 'one')).toEqual({ content: 'one' });
  expect(parse).toHaveBeenCalledTimes(4);
});

it('forgets the path that was parsed longest ago when there are too many', () => {
  const parse = vi.fn((content: string) => content);
  const memory = new ParsedOnce(parse);
  for (let path = 0; path <= 256; path += 1) memory.parse(`/${String(path)}`, '');
  memory.parse('/256', '');
  expect(parse).toHaveBeenCalledTimes(257);
  memory.parse('/0', '');
  expect(parse).toHaveBeenCalledTimes(258);
});
