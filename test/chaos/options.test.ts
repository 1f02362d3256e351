// The command line of the chaos harness: what it takes, and what it refuses by name.
import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';
import { FAULT_KINDS } from './plan.ts';

describe('the options', () => {
  it('say how long, which seed and which faults', () => {
    const args = ['--minutes', '5', '--seed', '7', '--only', 'starve,kill-both'];
    expect(readOptions(args)).toMatchObject({
      limitMs: 300_000,
      seed: 7,
      kinds: ['kill-both', 'starve'],
      toCase: null,
      starve: null,
    });
  });

  it('have defaults: all faults for a minute', () => {
    expect(readOptions([])).toMatchObject({ limitMs: 60_000, kinds: FAULT_KINDS, verbose: false });
  });

  it('play one case of a seed again', () => {
    expect(readOptions(['--seed', '7', '--case', '3'])).toMatchObject({ fromCase: 3, toCase: 3 });
  });

  it('say how much the machine is starved', () => {
    const starve = { seconds: 20, loops: 64 };
    expect(readOptions(['--starve', '--seconds', '20', '--loops', '64'])).toMatchObject({ starve });
  });

  it.each([
    [['--only', 'kill-everything'], 'There is no fault or workload kill-everything'],
    [['--minutes', 'many'], "--minutes takes a number, not 'many'"],
    [['--seed=-1'], "--seed takes a number, not '-1'"],
    [['--only', 'departing'], '--only and --without leave no fault'],
    [['--cases', '0'], '--cases takes 1 or more'],
    [['--nothing'], "Unknown option '--nothing'"],
  ])('%s is refused', (args, wrong) => {
    expect(readOptions(args)).toEqual({ wrong });
  });
});
