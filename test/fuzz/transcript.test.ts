// Transcripts for `simulate --replay` bent in every way: a run that ends, or what is wrong with which line.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { simulate } from '../../src/cli/commands/simulate.ts';
import { FAULT_KINDS } from '../../src/simulation/faults.ts';
import { drawPlan } from '../../src/simulation/plan.ts';
import type { Plan } from '../../src/simulation/plan.ts';
import { play } from '../../src/simulation/play.ts';
import {
  TranscriptError,
  readTranscript,
  writeTranscript,
} from '../../src/simulation/transcript.ts';
import { temporaryDirectory } from '../lease/support/fixtures.ts';
import { corpus, draws, expectPrototypesClean, expectSeen } from './support/fuzz.ts';
import { bentBytes, bentJson, bentPart } from './support/odd.ts';

const DAY_MS = 86_400_000;

/** One that is read with two faults, so that it plays in no time. */
const plan = { ...drawPlan({ seed: 3, nodes: 2, kinds: ['crash', 'stop'] }), troubleMs: 500 };
const text = writeTranscript({ ...plan, faults: plan.faults.slice(0, 2) });
const [head = '', ...faults] = text.trim().split('\n');
// Written by our own program just now.
const fields = JSON.parse(head) as Record<'settings' | 'workload', object>;

const bentHead = fc.oneof(
  bentJson(fields),
  ...(['settings', 'workload'] as const).map((key) => bentPart(fields, key, bentJson(fields[key]))),
);
const bentFault = bentJson({ atMs: 5, fault: 'crash', node: 'a', forMs: 10 });
const bentTranscript = fc
  .tuple(fc.oneof(bentHead, fc.constant(head)), fc.array(bentFault, { maxLength: 2 }))
  .map(([first, rest]) => [first, ...faults, ...rest].join('\n'));

describe('a transcript', () => {
  it.each(corpus('transcript'))('$name', ({ name, text: content }) => {
    expect(judge(content, { plays: true })).toBe(name.split('~')[0]);
  });

  it('is a plan that comes to an end, or is refused for a line', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(bentBytes(bentTranscript), (bytes) => {
        seen.add(judge(bytes.toString('utf8'), { plays: false }));
      }),
      draws(1500),
    );
    expectPrototypesClean();
    expectSeen(seen, ['accepted', 'refused']);
  });

  it('that is accepted can be played', () => {
    fc.assert(
      fc.property(bentTranscript, (content) => {
        judge(content, { plays: true });
      }),
      draws(60),
    );
  });

  it('is read as the plan that was written, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (seed) => {
        const drawn = drawPlan({ seed, nodes: null, kinds: FAULT_KINDS });
        expect(readTranscript(writeTranscript(drawn))).toEqual(drawn);
      }),
      draws(50),
    );
  });
});

describe('simulate --replay', () => {
  afterEach(() => {
    process.exitCode = undefined;
  });

  it.each(['/dev/zero', '/', '/nowhere'])('of %s is refused', async (path) => {
    await expect(simulate({ replay: path })).rejects.toMatchObject({ code: 'FAILOVER_BAD_OPTION' });
  });

  it('of a file without end reads no more than a transcript can have', async () => {
    const path = join(temporaryDirectory(), 'long');
    writeFileSync(path, `${text}${' '.repeat(2 ** 23)}`);
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await expect(simulate({ replay: path })).rejects.toMatchObject({ code: 'FAILOVER_BAD_OPTION' });
    vi.restoreAllMocks();
  });
});

function judge(content: string, { plays }: { plays: boolean }): string {
  let read: Plan;
  try {
    read = readTranscript(content);
  } catch (error) {
    if (!(error instanceof TranscriptError)) throw error;
    expect(error.message).toMatch(/^(line \d+: |it is empty)/);
    expect(error.message.length).toBeLessThan(300);
    return 'refused';
  }
  const { nodes, troubleMs, profile } = read;
  expect(nodes).toBeLessThanOrEqual(50);
  expect(troubleMs).toBeLessThanOrEqual(DAY_MS);
  const { heartbeatIntervalMs, heartbeatTimeoutMs } = profile.settings;
  expect(heartbeatIntervalMs).toBeGreaterThanOrEqual(10);
  expect(heartbeatTimeoutMs).toBeGreaterThanOrEqual(2 * heartbeatIntervalMs);
  const known = new Set(Object.keys({ ...plan.profile.settings, ...plan.profile.workload }));
  for (const [key, value] of Object.entries({ ...profile.settings, ...profile.workload })) {
    if (!known.has(key)) continue;
    if (typeof value === 'number') expect(value, key).toBeLessThanOrEqual(DAY_MS);
  }
  if (plays && troubleMs <= 1000 && nodes <= 5) {
    expect(play(read).digest).toBe(play(read).digest);
  }
  return 'accepted';
}
