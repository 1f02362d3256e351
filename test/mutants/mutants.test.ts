// The list of deliberate faults stays true to the code: each still applies, and names checks that exist.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scenarioFiles } from '../support/core-scenario-files.ts';
import { MUTANTS } from './list.js';
import { applied, transcript } from './mutant.js';

const project = join(import.meta.dirname, '..', '..');
const transcripts = scenarioFiles().map(({ text }) => text);

describe.each(MUTANTS)('the mutant $id', (mutant) => {
  it('replaces what is in its file exactly once, by something else', () => {
    const text = readFileSync(join(project, mutant.file), 'utf8');
    // Null: change `from` and `to` to the new wording, and see the mutant killed by `npm run mutants`.
    expect(applied(mutant, text)).not.toBeNull();
    expect(applied(mutant, text)).not.toBe(text);
  });

  it('has checks that exist', () => {
    expect(mutant.killers.length).toBeGreaterThan(0);
    for (const check of mutant.killers) {
      if (!('test' in check)) continue;
      expect(existsSync(join(project, check.test))).toBe(true);
      if (check.test !== transcript('').test) continue;
      expect(transcripts.some((text) => text.includes(`\n== ${check.title}`))).toBe(true);
    }
  });
});

describe('the list of mutants', () => {
  it('names each once', () => {
    const ids = MUTANTS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('breaks each promise in several ways', () => {
    for (const promise of ['S1', 'S2', 'S4', 'S5', 'S6']) {
      expect(MUTANTS.filter(({ breaks }) => breaks === promise).length).toBeGreaterThan(2);
    }
  });
});

describe('what applies', () => {
  it.each([
    ['once', 'a b c', 'a x c'],
    ['nowhere', 'a c', null],
    ['twice', 'a b b c', null],
  ])('is found %s', (_, text, broken) => {
    expect(applied({ from: 'b', to: 'x' }, text)).toBe(broken);
  });
});
