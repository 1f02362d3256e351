// The command line of the chaos harness: what it takes, and what it refuses by name.
import { describe, expect, it } from 'vitest';
import { readChaos } from './options.ts';
import { FAULT_KINDS } from './plan.ts';

describe('the options', () => {
  it('say how long, which seed and which faults', () => {
    const args = ['--minutes', '5', '--seed', '7', '--only', 'starve,kill-both'];
    expect(readChaos(args)).toMatchObject({
      limitMs: 300_000,
      seed: 7,
      kinds: ['kill-both', 'starve'],
      toCase: null,
      starve: null,
    });
  });

  it('have defaults: all faults for a minute', () => {
    expect(readChaos([])).toMatchObject({ limitMs: 60_000, kinds: FAULT_KINDS, verbose: false });
  });

  it('play one case of a seed again', () => {
    expect(readChaos(['--seed', '7', '--case', '3'])).toMatchObject({ fromCase: 3, toCase: 3 });
  });

  it('say how much the machine is starved', () => {
    const starve = { seconds: 20, loops: 64 };
    expect(readChaos(['--starve', '--seconds', '20', '--loops', '64'])).toMatchObject({ starve });
  });

  it.each([
    [
      ['--only', 'kill-everything'],
      "--only takes names of faults or workloads with commas, not 'kill-everything'",
    ],
    [['--minutes', 'many'], "--minutes takes a number of 0 or more, not 'many'"],
    [['--seed=-1'], "--seed takes a whole number of 0 or more, not '-1'"],
    [['--only', 'departing'], '--only and --without leave no fault'],
    [['--cases', '0'], "--cases takes a whole number of 1 or more, not '0'"],
    [['--nothing'], "Unknown option '--nothing'"],
  ])('%s is refused', (args, wrong) => {
    expect(readChaos(args)).toEqual({ wrong });
  });
});
