// What happened in a group, as people read it.
import { expect, it } from 'vitest';
import { eventLines } from '../../../src/cli/render/events-text.ts';

it('is a line for each, with who tells it, and nothing that steers a terminal', () => {
  const at = new Date(2026, 2, 1, 12, 0, 0, 5);
  const time = at.toISOString();
  const lines = eventLines(
    [
      { time, node: 'a', source: 'server', action: 'granted', epoch: 7, reason: null },
      { time, node: 'b', source: 'node', action: 'watching', epoch: 7, reason: 'a\u001b[2J leads' },
    ],
    at,
  );
  expect(lines).toHaveLength(2);
  expect(lines[0]).toBe('12:00:00.005  a  granted   7  at the server');
  expect(lines[1]).toMatch(/^12:00:00\.005 {2}b {2}watching {2}7 {2}a/);
  expect(lines[1]).not.toContain('\u001b');
});
