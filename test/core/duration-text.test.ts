// Durations as people read them; the exact form is tested with what reads it.
import { expect, it } from 'vitest';
import { humanMs } from '../../src/core/duration-text.ts';

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
