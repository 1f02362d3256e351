// When output is coloured.
import { describe, expect, it } from 'vitest';
import { colorLevel } from '../../../src/cli/render/color.ts';

describe('colours', () => {
  it.each([
    ['a terminal has them', true, {}, 1],
    ['a pipe has none', false, {}, 0],
    ['NO_COLOR refuses them', true, { NO_COLOR: '1' }, 0],
    ['an empty NO_COLOR says nothing', true, { NO_COLOR: '' }, 1],
    ['a dumb terminal has none', true, { TERM: 'dumb' }, 0],
    ['FORCE_COLOR gives them to a pipe', false, { FORCE_COLOR: '1' }, 1],
    ['an empty FORCE_COLOR does too', false, { FORCE_COLOR: '' }, 1],
    ['FORCE_COLOR goes before NO_COLOR', false, { FORCE_COLOR: '3', NO_COLOR: '1' }, 3],
    ['FORCE_COLOR=0 refuses them', true, { FORCE_COLOR: '0' }, 0],
    ['FORCE_COLOR=false refuses them', true, { FORCE_COLOR: 'false' }, 0],
  ] as const)('%s', (_, isTTY, env, level) => {
    expect(colorLevel({ isTTY }, env)).toBe(level);
  });
});
