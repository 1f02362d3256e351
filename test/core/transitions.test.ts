// Compares the table of transitions with what the core does: each row is reached, each phase can end.
import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transitionsDiagram, transitionsTable } from '../../scripts/draw-transitions.js';
import { ROLE_OF_PHASE } from '../../src/core/phases.ts';
import { TRANSITIONS } from '../../src/core/transitions.ts';
import type { TransitionRow } from '../../src/core/transitions.ts';
import type { Phase } from '../../src/core/state.ts';
import { parseScenarios, replay } from '../support/core-replay.ts';
import { scenarioFiles } from '../support/core-scenario-files.ts';

const rows: readonly (readonly [string, TransitionRow])[] = Object.entries(TRANSITIONS);
const phases = [...new Set(rows.flatMap(([, row]) => [...row.from, row.to]))];

const visited = new Set(
  scenarioFiles()
    .flatMap(({ text }) => parseScenarios(text))
    .flatMap((scenario) => replay(scenario).visits)
    .flatMap(({ row, from }) => [row, `${row} from ${from}`]),
);

describe('the table of transitions', () => {
  it.each(rows.map(([id]) => id))('has a scenario that goes by %s', (id) => {
    expect(visited).toContain(id);
  });

  it('has a scenario for each phase that a row starts from', () => {
    const pairs = rows.flatMap(([id, row]) => row.from.map((from) => `${id} from ${from}`));
    expect(pairs.filter((pair) => !visited.has(pair))).toEqual([]);
  });

  it.each(phases)('reaches %s from the beginning', (phase) => {
    expect(reachable('listening')).toContain(phase);
  });

  it.each(phases.filter((phase) => phase !== 'stopped'))('leads from %s to the end', (phase) => {
    expect(reachable(phase)).toContain('stopped');
  });

  it('says each row in a sentence of its own', () => {
    const sentences = rows.map(([, row]) => row.sentence);
    expect(new Set(sentences).size).toBe(sentences.length);
    for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z][^.:]*$/);
  });
});

describe('the drawing', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/transitions.md'), 'utf8');

  it('shows the table as it is', () => {
    expect(page).toContain(transitionsDiagram(TRANSITIONS, ROLE_OF_PHASE));
    expect(page).toContain(transitionsTable(TRANSITIONS));
  });

  it('has an arrow for every step that a row allows, and no other', () => {
    const diagram = transitionsDiagram(TRANSITIONS, ROLE_OF_PHASE);
    const arrows = [...diagram.matchAll(/^ +(\w+) --> (\w+): /gm)].map(
      ([, from, to]) => `${from ?? ''} ${to ?? ''}`,
    );
    const steps = rows.flatMap(([, row]) => row.from.map((from) => `${from} ${row.to}`));
    expect([...arrows].sort()).toEqual([...new Set(steps)].sort());
  });
});

function reachable(from: Phase): ReadonlySet<Phase> {
  const found = new Set<Phase>([from]);
  for (const phase of found) {
    for (const [, row] of rows) if (row.from.includes(phase)) found.add(row.to);
  }
  return found;
}
