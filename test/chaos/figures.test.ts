// The figures of hand-made cases: each one is counted once, and stands beside the bound of its own case.
import { expect, it } from 'vitest';
import type { CaseResult, PlayedFault } from './case.ts';
import { figuresOf } from './figures.ts';
import type { ModeFigures } from './figures.ts';
import { drawCase } from './plan.ts';
import type { CasePlan, Fault, FaultKind } from './plan.ts';
import { asJson, asText } from './report.ts';

const fault = (kind: FaultKind): Fault => ({ kind, atMs: 0, forMs: 1, choice: 0 });

const played = (round: number, kind: FaultKind, downMs: number | null): PlayedFault => ({
  ...{ round, kind, what: '', skipped: downMs === null, downMs: downMs ?? 0 },
});

function planOf(index: number, modes: Partial<CasePlan['profile']>): CasePlan {
  const plan = drawCase({ seed: 1, index, kinds: ['kill-primary'] });
  const rounds = [[fault('kill-primary'), fault('fill-disk')], [fault('kill-primary')]];
  return { ...plan, profile: { ...plan.profile, ...modes }, rounds };
}

const CASES: readonly CaseResult[] = [
  {
    plan: planOf(0, { standby: 'cold', fence: 'kill' }),
    faults: [
      played(1, 'kill-primary', 30),
      played(1, 'fill-disk', null),
      played(2, 'kill-primary', 90),
    ],
    ...{ violations: [], recoveriesMs: [5, 40], boundMs: 1000, lossesMs: [10, 20, 500] },
    ...{ starts: 4, overlaps: 0, epochs: { seen: 4, highest: 4 }, directory: null },
  },
  {
    plan: planOf(3, { standby: 'hot', fence: 'kill' }),
    // Two of one round are charged with the same time; the second round was not reached.
    faults: [played(1, 'kill-primary', 60), played(1, 'fill-disk', 60)],
    ...{ violations: ['a'], recoveriesMs: [2500], boundMs: 2000, lossesMs: [7] },
    ...{ starts: 3, overlaps: 1, epochs: { seen: 2, highest: 9 }, directory: '/kept' },
  },
];

const figures = figuresOf(CASES);

function modeNamed(name: string): ModeFigures | undefined {
  return figures.modes.find(({ mode }) => mode === name);
}

it('counts what was planned and what was done', () => {
  expect(figures.faults).toEqual({ planned: 6, done: 4 });
  expect(figures.kinds).toEqual([
    { kind: 'fill-disk', planned: 2, done: 1, medianMs: 60, p99Ms: 60, maxMs: 60 },
    { kind: 'kill-primary', planned: 4, done: 3, medianMs: 60, p99Ms: 90, maxMs: 90 },
  ]);
  expect(figures.rounds).toEqual({ count: 3, medianMs: 60, p99Ms: 90, maxMs: 90 });
});

it('adds up starts, overlaps and epochs', () => {
  const { cases, starts, overlaps, epochs } = figures;
  expect([cases, starts, overlaps, epochs]).toEqual([2, 7, 1, { seen: 6, highest: 9 }]);
});

it('has the unavailability of all, and of each mode that was drawn', () => {
  expect(figures.modes.map(({ mode, cases }) => [mode, cases])).toEqual([
    ['all', 2],
    ['--standby cold', 1],
    ['--standby hot', 1],
    ['--fence kill', 2],
  ]);
  const ofAll = { losses: 4, medianMs: 10, p99Ms: 500, maxMs: 500 };
  expect(modeNamed('all')?.unavailability).toEqual(ofAll);
  expect(modeNamed('--fence kill')?.unavailability).toEqual(ofAll);
  expect(modeNamed('--standby hot')?.unavailability).toMatchObject({ losses: 1, maxMs: 7 });
});

it('judges each recovery by the bound of its own case', () => {
  expect(modeNamed('all')?.recovery).toMatchObject({ boundMs: [1000, 2000], beyondBound: 1 });
  const cold = { boundMs: [1000, 1000], beyondBound: 0, maxMs: 40 };
  expect(modeNamed('--standby cold')?.recovery).toMatchObject(cold);
  expect(figures.nearest).toEqual({ case: 3, tookMs: 2500, boundMs: 2000 });
});

it('says the same as text and as JSON', () => {
  const result = { seed: 7, cases: CASES, notes: [] };
  const text = asText(result);
  expect(text).toMatch(/^fill-disk +2 +1 +60 ms +60 ms +60 ms$/m);
  expect(text).toMatch(/^all, in 3 rounds +6 +4 +60 ms +90 ms +90 ms$/m);
  expect(text).toMatch(/^all +2 +4 +10 ms +500 ms +500 ms +within 2500 ms +1000 to 2000 ms +1$/m);
  expect(text).toMatch(/^overlaps +1 in 7 starts of 2 cases$/m);
  expect(text).toMatch(/^VIOLATED\. Seed 7\.$/m);
  expect(JSON.parse(asJson(result))).toMatchObject({ verdict: 'violated', figures });
});

it('has figures of nothing at all', () => {
  expect(figuresOf([]).modes[0].recovery).toMatchObject({ maxMs: 0, boundMs: [0, 0] });
});
