// One screen made out of another: whatever the frames are, what is to be seen is the last one.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { repaint } from '../../../src/cli/watch/repaint.ts';

const ROWS = 6;
const frame = fc.array(fc.constantFrom('', 'a', 'b', 'long line', 'other'), { maxLength: ROWS });

it('shows the last frame on a terminal, after any others', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), (frames) => {
      const screen = Array.from({ length: ROWS }, () => '');
      let before: readonly string[] = [];
      for (const after of frames) {
        apply(repaint(before, after), screen);
        before = after;
        expect(screen).toEqual([...after, ...screen.slice(after.length).map(() => '')]);
      }
    }),
  );
});

it('writes nothing where nothing differs, and only the row that does', () => {
  expect(repaint(['a', 'b'], ['a', 'b'])).toBe('');
  expect(repaint(['a', 'b'], ['a', 'c'])).toBe('\u001b[?2026h\u001b[2;1H\u001b[2Kc\u001b[?2026l');
});

/** As a terminal obeys it. */
function apply(text: string, screen: string[]): void {
  const escape = String.fromCodePoint(0x1b);
  const row = new RegExp(`${escape}\\[(\\d+);1H${escape}\\[2K([^${escape}]*)`, 'g');
  for (const [, number, line = ''] of text.matchAll(row)) screen[Number(number) - 1] = line;
}
