// Cores that are broken on purpose: each is found by the promise it breaks, and made short.
import { describe, expect, it } from 'vitest';
import { Campaign } from '../../src/simulation/campaign.ts';
import type { Failure } from '../../src/simulation/campaign.ts';
import { play } from '../../src/simulation/play.ts';
import { shrink } from '../../src/simulation/shrink.ts';
import { readTranscript, writeTranscript } from '../../src/simulation/transcript.ts';
import { BROKEN_CORES } from './broken-cores.ts';
import type { BrokenCore } from './broken-cores.ts';
import { FAULT_KINDS } from '../../src/simulation/faults.ts';

/** Enough for each way of breaking a core to be found. */
const RUNS = 1000;

function failureOf({
  transition,
  kinds = FAULT_KINDS,
  lease = 'file',
}: BrokenCore): Failure | null {
  const options = { seed: 1, steps: Infinity, nodes: 3, kinds, lease, transition };
  const campaign = new Campaign(options);
  while (!campaign.isOver && campaign.totals.runs < RUNS) campaign.run();
  return campaign.failure;
}

describe.each(BROKEN_CORES)('a core that $title', (core) => {
  const { promise, transition } = core;
  const failure = failureOf(core);

  it(`breaks ${promise}, and the real core in the same run does not`, () => {
    expect(failure?.violation.promise).toBe(promise);
    if (failure !== null) expect(play(failure.plan).violation).toBeNull();
  });

  it('breaks it in a short run as well, that can be kept and played again', () => {
    if (failure === null) throw new Error('nothing was found');
    const short = shrink(failure.plan, { transition, tries: 60 });
    expect(short.faults.length).toBeLessThanOrEqual(failure.plan.faults.length);
    const kept = readTranscript(writeTranscript(short));
    expect(kept).toEqual(short);
    const first = play(short, { transition });
    const again = play(kept, { transition });
    expect(again.violation?.promise).toBe(promise);
    expect(again).toEqual(first);
  });
});
