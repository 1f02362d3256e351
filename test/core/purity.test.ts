// Proves that the core can't reach a clock, I/O, randomness or another folder: each try is refused.
import { describe, expect, it } from 'vitest';
import { compilesOnlyPureCode, lintsOnlyPureCode } from '../support/purity-cases.ts';
import { effectiveConfig } from '../support/purity.ts';

describe('the compiler', () => {
  compilesOnlyPureCode('core', '.');
});

describe('the linter', () => {
  lintsOnlyPureCode('src/core/transition.ts', {}, ['./state.ts']);

  it('asks this of no adapter', async () => {
    const config = await effectiveConfig('src/runtime/clock.ts');
    expect(Object.keys(config.rules ?? {})).not.toContain('no-restricted-globals');
  });
});
