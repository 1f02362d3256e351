// What is tried of a folder that may only compute: each try is refused, and what computes is taken.
import { beforeAll, expect, it } from 'vitest';
import {
  compile,
  PURE,
  PURITY_RULE,
  purityLinter,
  REFUSED_BY_COMPILER,
  REFUSED_BY_LINTER,
  refusalOf,
} from './purity.ts';
import type { Snippets } from './purity.ts';

/** @param root of its `tsconfig.json`, from the folder */
export function compilesOnlyPureCode(folder: string, root: '.' | '..'): void {
  let said: string;

  beforeAll(async () => {
    said = await compile(folder, { ...REFUSED_BY_COMPILER, allowed: PURE }, root);
  }, 60_000);

  it.each(Object.keys(REFUSED_BY_COMPILER))('refuses %s', (name) => {
    expect(said).toMatch(refusalOf(folder, name));
  });

  it('takes code that only computes', () => {
    expect(said).not.toContain(`${folder}/allowed.ts`);
  });
}

/**
 * @param file one of the folder, as which the code is read
 * @param refused code that is also refused there, by what it is
 * @param imports paths that may be imported there
 */
export function lintsOnlyPureCode(
  file: string,
  refused: Snippets,
  imports: readonly string[],
): void {
  let faultsOf: (text: string) => readonly string[];

  beforeAll(async () => {
    faultsOf = await purityLinter(file);
  });

  it.each(Object.entries({ ...REFUSED_BY_LINTER, ...refused }))('refuses %s', (_, text) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(PURITY_RULE)]);
  });

  it.each(imports)('takes code that only computes, and imports %s', (path) => {
    expect(faultsOf(`export { x } from '${path}';\n${PURE}`)).toEqual([]);
  });
}
