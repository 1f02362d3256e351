// The flags of a drill: limits, order, and what is named when one is wrong.
import { describe, expect, it } from 'vitest';
import { DRILL_FAULTS } from '../../../src/cli/drill/faults.ts';
import { readDrillOptions } from '../../../src/cli/drill/options.ts';
import type { DrillOptions } from '../../../src/cli/drill/options.ts';
import { failureOf } from '../../support/failover-error.ts';

const client = { group: 'web', stateDir: null };

function read(flags: Readonly<Record<string, unknown>>): DrillOptions {
  return readDrillOptions(client, flags);
}

describe('the flags', () => {
  it('are all faults, once, without consent, where nothing is given', () => {
    expect(read({})).toMatchObject({
      ...client,
      ...{ faults: DRILL_FAULTS, isChosen: false, rounds: 1, withinMs: null, yes: false },
      ...{ restartCommand: null, allowMixedVersions: false, json: false, timeoutMs: 60_000 },
    });
  });

  it('take the faults in their order, each once', () => {
    expect(read({ faults: 'hang, crash,hang' })).toMatchObject({
      faults: ['hang', 'crash'],
      isChosen: true,
    });
  });

  it.each([
    [{ faults: 'crash,flood' }, '--faults'],
    [{ rounds: '0' }, '--rounds'],
    [{ rounds: '101' }, '--rounds'],
    [{ loops: '257' }, '--loops'],
    [{ starveTime: '11m' }, '--starve-time'],
    [{ starveTime: '0' }, '--starve-time'],
    [{ within: 'soon' }, '--within'],
    [{ timeout: '1' }, '--timeout'],
    [{ timeout: '600h' }, '--timeout'],
    [{ restartCommand: ' ' }, '--restart-command'],
  ])('refuse %o by name', (flags, name) => {
    const failure = failureOf(() => read(flags));
    expect([failure.exitCode, failure.message]).toEqual([2, expect.stringContaining(name)]);
  });
});
