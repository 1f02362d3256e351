// The verdicts on a silent holder of the lease.
import { describe, expect, it } from 'vitest';
import type { HolderInspection } from '../../src/core/event.ts';
import { judgeSilence } from '../../src/core/failure-detector.ts';
import type { Silence, Verdict } from '../../src/core/failure-detector.ts';
import { holderNamed } from '../support/core-events.ts';
import { DEFAULT_SETTINGS } from '../support/core-settings.ts';

const observation = {
  epoch: 3,
  held: true,
  holder: holderNamed('a'),
  recordUnreadable: false,
  touch: 't0',
  paused: false,
};

const inspection: HolderInspection = {
  observation,
  holder: 'ours',
  description: 'process 100',
  process: 'sleeping',
  sample: { overMs: 1_000, onCpuMs: 0, waitingMs: 0 },
  cpuPressure: 0,
};

interface Case {
  readonly look?: Partial<HolderInspection>;
  readonly silence?: Partial<Omit<Silence, 'inspection'>>;
}

const starving = { overMs: 1_000, onCpuMs: 10, waitingMs: 510 };
const someWait = { overMs: 1_000, onCpuMs: 10, waitingMs: 210 };

const CASES: readonly (readonly [string, Case, Verdict])[] = [
  ['asleep and silent everywhere', {}, 'hung'],
  ['spinning', { look: { process: 'running' } }, 'hung'],
  [
    'in an uninterruptible wait, whatever it waits for',
    { look: { process: 'uninterruptible', sample: starving } },
    'hung',
  ],
  ['a process that cannot be looked at', { look: { process: null } }, 'hung'],
  ['stopped by a signal', { look: { process: 'stopped' } }, 'stopped'],
  [
    'stopped, but its lock file changed within the timeout',
    { look: { process: 'stopped' }, silence: { untouchedForMs: 1_800 } },
    'alive',
  ],
  ['its lock file changed within the timeout', { silence: { untouchedForMs: 1_800 } }, 'alive'],
  [
    'its lock file was last seen to change at a late look after its last word',
    { silence: { untouchedForMs: 1_900 } },
    'too-early',
  ],
  ['its lock file changed a timeout ago', { silence: { untouchedForMs: 2_000 } }, 'hung'],
  ['heard within the timeout', { silence: { silentForMs: 1_999 } }, 'too-early'],
  ['its process is ending', { look: { process: 'ending' } }, 'ending'],
  ['another program holds the file', { look: { holder: 'foreign' } }, 'foreign'],
  ['a newer epoch', { look: { observation: { ...observation, epoch: 4 } } }, 'changed'],
  ['the lease is not held', { look: { observation: { ...observation, held: false } } }, 'free'],
  [
    'it waited for the CPU for more than half of the time',
    { look: { sample: starving } },
    'starved',
  ],
  ['it waited for a fifth of the time', { look: { sample: someWait } }, 'hung'],
  [
    'it waited for a fifth of the time and the whole machine waits',
    { look: { sample: someWait, cpuPressure: 0.6 } },
    'starved',
  ],
  [
    'no sample yet, and the whole machine waits',
    { look: { sample: null, cpuPressure: 0.6 } },
    'starved',
  ],
  ['no sample yet, and the machine is idle', { look: { sample: null } }, 'hung'],
  [
    'a sample over no time, and the whole machine waits',
    { look: { sample: { ...starving, overMs: 0 }, cpuPressure: 0.6 } },
    'starved',
  ],
  [
    'starved for less than five timeouts',
    { look: { sample: starving }, silence: { silentForMs: 9_999 } },
    'starved',
  ],
  [
    'starved for five timeouts',
    { look: { sample: starving }, silence: { silentForMs: 10_000 } },
    'hung',
  ],
];

describe('judgeSilence', () => {
  it.each(CASES)('%s', (_, { look, silence }, verdict) => {
    const whole: Silence = {
      epoch: 3,
      silentForMs: 3_000,
      untouchedForMs: Infinity,
      ...silence,
      inspection: { ...inspection, ...look },
    };
    expect(judgeSilence(whole, DEFAULT_SETTINGS)).toBe(verdict);
  });
});
