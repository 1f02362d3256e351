// Proves that a simulated run depends on its seed alone: no clock, timer, chance or process is within reach.
import { beforeAll, describe, expect, it } from 'vitest';
import {
  compile,
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
    said = await compile('simulation', { ...REFUSED_BY_COMPILER, allowed: PURE }, '..');
  }, 60_000);

  it.each(Object.keys(REFUSED_BY_COMPILER))('refuses %s', (name) => {
    expect(said).toMatch(refusalOf('simulation', name));
  });

  it('takes code that only computes', () => {
    expect(said).not.toContain('simulation/allowed.ts');
  });
});

describe('the linter', () => {
  let faultsOf: (text: string) => readonly string[];

  beforeAll(async () => {
    faultsOf = await purityLinter('src/simulation/world.ts');
  });

  it.each(Object.entries(REFUSED_BY_LINTER))('refuses %s', (_, text) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(PURITY_RULE)]);
  });

  it.each([
    ['a timer', 'setTimeout(() => {}, 1);\nexport {};\n'],
    ['the process', 'export const x: unknown = process.pid;\n'],
    ['the clock of the process', 'export const x: number = performance.now();\n'],
    ['an adapter', "export { FileLease } from '../lease/file/file-lease.ts';\n"],
    ['what is beside a module that it may know', "export { x } from '../config/load.ts';\n"],
  ])('refuses %s', (_, text) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(PURITY_RULE)]);
  });

  it.each(['./world.ts', '../core/state.ts', '../config/choices.ts', '../runtime/orders.ts'])(
    'takes code that only computes, and %s',
    (path) => {
      expect(faultsOf(`export { x } from '${path}';\n${PURE}`)).toEqual([]);
    },
  );
});
