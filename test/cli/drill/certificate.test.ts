// The verdict over a whole drill, and the figures that it shows.
import { describe, expect, it } from 'vitest';
import { certificateOf, spreadOf } from '../../../src/cli/drill/certificate.ts';
import type { DrillRecord, PlayedRound } from '../../../src/cli/drill/certificate.ts';
import { certificateLines } from '../../../src/cli/render/certificate-text.ts';
import { PLAIN } from '../../../src/cli/render/plain.ts';
import { drilled, outcomeWith } from '../support/drilled.ts';

function played(change: Parameters<typeof outcomeWith>[0] = {}): PlayedRound {
  return { outcome: outcomeWith(change), watched: { looks: 40, longestGapMs: 12 }, problems: [] };
}

const sampling = {
  ...{ looks: 900, everyMs: 10, medianGapMs: 10.1, longestGapMs: 31, lockLooks: 45 },
  overlaps: [] as readonly string[],
};

function recordWith(change: Partial<DrillRecord> = {}): DrillRecord {
  return {
    group: 'web',
    directory: '/state/web',
    version: '0.1.0',
    startedAt: '2026-03-01T12:00:00.000Z',
    tookMs: 9_000.4,
    withinMs: null,
    rounds: 1,
    isChosen: false,
    interrupted: false,
    endedBecause: null,
    plan: [
      { fault: 'crash', skipped: null },
      { fault: 'hang', skipped: 'too few' },
    ],
    played: [played()],
    leftOut: [],
    primary: { before: 'a', after: 'b' },
    epochs: { before: 7, after: 8 },
    sampling,
    nodes: [drilled('a')],
    ...change,
  };
}

describe('the verdict', () => {
  it('is held when all that was planned held, also without what was not safe', () => {
    const certificate = certificateOf(recordWith());
    expect(certificate).toMatchObject({ verdict: 'held', epochs: { served: [7, 8] } });
    expect(certificate.faults.map(({ verdict }) => verdict)).toEqual(['held', 'skipped']);
  });

  it.each<[string, Partial<DrillRecord>]>([
    ['a fault did not hold', { played: [played({ tookMs: 99_000 })] }],
    ['a node did not come back', { played: [{ ...played(), problems: ['c stays away'] }] }],
    ['an epoch did not rise', { epochs: { before: 8, after: 8 } }],
    ['an overlap was seen between two rounds', { sampling: { ...sampling, overlaps: ['two'] } }],
    ['nobody leads at the end', { primary: { before: 'a', after: null } }],
  ])('is broken when %s', (_, change) => {
    expect(certificateOf(recordWith(change)).verdict).toBe('broken');
  });

  it.each<[string, Partial<DrillRecord>]>([
    ['a fault that was chosen was left out', { isChosen: true }],
    ['a round was left out', { rounds: 2, leftOut: [{ fault: 'crash', why: 'too few' }] }],
    ['it was interrupted', { interrupted: true, primary: { before: 'a', after: null } }],
    ['it ended early', { endedBecause: 'the group was paused' }],
  ])('is incomplete when %s', (_, change) => {
    expect(certificateOf(recordWith(change)).verdict).toBe('incomplete');
  });
});

describe('the figures', () => {
  it('are median and longest over the rounds', () => {
    expect(spreadOf([])).toBeNull();
    expect(spreadOf([30, 10, 20])).toEqual({ median: 20, max: 30 });
    expect(spreadOf([10, 20.04])).toEqual({ median: 15, max: 20 });
  });

  it('take the tightest bound of the rounds', () => {
    const rounds = [played(), played({ bound: { ms: 400, why: 'less' } })];
    const { faults } = certificateOf(recordWith({ rounds: 2, played: rounds }));
    expect(faults[0]).toMatchObject({
      bound: { ms: 400 },
      rounds: [{ boundMs: 10_259 }, { boundMs: 400 }],
    });
  });
});

describe('the text', () => {
  it('shows each fault, what was left out, and how closely it was looked at', () => {
    const text = certificateLines(certificateOf(recordWith()), PLAIN).join('\n');
    expect(text).toContain('everything held');
    expect(text).toMatch(/crash +1 +20 ms +20 ms +10\.2 s +held/);
    expect(text).toContain('hang: too few');
    expect(text).toMatch(
      /900 samples of the processes, 10 ms apart and once 31 ms, while a role changed 12 ms at most/,
    );
    expect(text).toContain('epochs    7, 8: each higher');
  });

  it('shows settings once that several nodes share', () => {
    const nodes = [drilled('b'), drilled('c', { setup: { fence: 'none' } }), drilled('a')];
    const text = certificateLines(certificateOf(recordWith({ nodes })), PLAIN).join('\n');
    expect(text).toMatch(/settings +a, b: .*fence kill/);
    expect(text).toMatch(/settings +c: .*fence none/);
  });

  it('says what did not hold', () => {
    const record = recordWith({ played: [played({ tookMs: 99_000 })] });
    const text = certificateLines(certificateOf(record), PLAIN).join('\n');
    expect(text).toContain('not everything held');
    expect(text).toMatch(/NOT HELD +crash: took 1m 39s/);
  });
});
