// What a node tells a proxy: whether it may be forwarded to.
import { describe, expect, it } from 'vitest';
import { initialState } from '../../src/core/state.ts';
import { attachAnswerOf, readAttachAnswer } from '../../src/runtime/attach-answer.ts';
import { parseScenarios, replay } from '../support/core-replay.ts';
import { DEFAULT_SETTINGS } from '../support/core-settings.ts';

function standingAfter(...lines: readonly string[]): string {
  const [scenario] = parseScenarios(['== a node', ...lines].join('\n'));
  const state = scenario === undefined ? initialState(0, 1) : replay(scenario).state;
  return attachAnswerOf(state, DEFAULT_SETTINGS).standing;
}

describe('a node that a proxy asks', () => {
  it('says that it serves, starts, is about to step down, or does not lead', () => {
    expect(standingAfter('given serving epoch=3')).toBe('serving');
    expect(standingAfter('given serving epoch=3', 'at 10 workload-ended exit=1')).toBe('starting');
    expect(standingAfter('given serving epoch=3', 'at 10 stop-requested')).toBe('closing');
    expect(standingAfter('given following from=a epoch=3')).toBe('none');
  });

  it('is believed only when its answer is whole', () => {
    const answer = { epoch: 3, standing: 'serving', intervalMs: 500 };
    expect(readAttachAnswer({ ...answer, more: 1 })).toEqual(answer);
    for (const part of [{ epoch: -1 }, { standing: 'sitting' }, { intervalMs: '500' }]) {
      expect(readAttachAnswer({ ...answer, ...part })).toBeNull();
    }
    expect(readAttachAnswer(null)).toBeNull();
  });
});
