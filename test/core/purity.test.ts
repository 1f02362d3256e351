// Proves that the core can't reach a clock, I/O, randomness or another folder: each try is refused.
import { beforeAll, describe, expect, it } from 'vitest';
import {
  compile,
  effectiveConfig,
  PURE,
  PURITY_RULE,
  purityLinter,
  REFUSED_BY_COMPILER,
  REFUSED_BY_LINTER,
  refusalOf,
} from '../support/purity.ts';

describe('the compiler', () => {
  let said: string;

  beforeAll(async () => {
    said = await compile('core', { ...REFUSED_BY_COMPILER, allowed: PURE }, '.');
  }, 60_000);

  it.each(Object.keys(REFUSED_BY_COMPILER))('refuses %s', (name) => {
    expect(said).toMatch(refusalOf('core', name));
  });

  it('takes code that only computes', () => {
    expect(said).not.toContain('core/allowed.ts');
  });
});

describe('the linter', () => {
  let faultsOf: (text: string) => readonly string[];

  beforeAll(async () => {
    faultsOf = await purityLinter('src/core/transition.ts');
  });

  it.each(Object.entries(REFUSED_BY_LINTER))('refuses %s', (_, text) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(PURITY_RULE)]);
  });

  it('takes code that only computes, and imports of its own folder', () => {
    expect(faultsOf(PURE)).toEqual([]);
    expect(faultsOf("export { x } from './state.ts';\n")).toEqual([]);
  });

  it('asks this of no adapter', async () => {
    const config = await effectiveConfig('src/runtime/clock.ts');
    expect(Object.keys(config.rules ?? {})).not.toContain('no-restricted-globals');
  });
});
