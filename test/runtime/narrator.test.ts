// What a node says, and how often.
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { initialState } from '../../src/core/state.ts';
import { Narrator } from '../../src/runtime/narrator.ts';
import type { NodeEvents } from '../../src/runtime/narrator.ts';
import type { Step } from '../../src/core/transition.ts';

function setUp(now: () => number = () => 0): {
  narrator: Narrator;
  heard: string[];
  told: () => Promise<string[]>;
} {
  const emitter = new EventEmitter<NodeEvents>();
  const heard: string[] = [];
  emitter.on('warning', (message) => heard.push(message));
  const told = async (): Promise<string[]> => {
    await new Promise(setImmediate);
    return heard;
  };
  return { narrator: new Narrator(emitter, now), heard, told };
}

/** A step in which nothing moves. */
function step(before: string | null, after: string | null): Step {
  const state = initialState(0, 1);
  return {
    before: { ...state, warning: before },
    state: { ...state, warning: after },
    event: { type: 'time-passed', at: 1 },
    move: null,
    reason: '',
    effects: [],
  };
}

it('a warning from outside is said once, whatever steps come between', async () => {
  const { narrator, told } = setUp();
  for (let second = 0; second < 3; second += 1) {
    narrator.warn('no node can reach this node');
    narrator.tell(step(null, null));
  }
  expect(await told()).toEqual(['no node can reach this node']);
});

it('a warning that passed is said again when it comes back', async () => {
  const { narrator, told } = setUp();
  narrator.tell(step(null, 'the disk is full'));
  narrator.tell(step('the disk is full', 'the disk is full'));
  narrator.tell(step('the disk is full', null));
  narrator.tell(step(null, 'the disk is full'));
  expect(await told()).toEqual(['the disk is full', 'the disk is full']);
});

it('two warnings that take turns are said once each, and again after a minute without them', async () => {
  let at = 0;
  const { narrator, told } = setUp(() => at);
  for (; at < 100_000; at += 1_000) {
    narrator.warn('no record can be read');
    narrator.warn('no directory can be listed');
  }
  expect(await told()).toEqual(['no record can be read', 'no directory can be listed']);
  at += 60_000;
  narrator.warn('no record can be read');
  expect(await told()).toHaveLength(3);
});

it('only so many warnings are remembered: one that was pushed out is said again', async () => {
  const { narrator, told } = setUp();
  for (let each = 0; each < 17; each += 1) narrator.warn(`trouble ${String(each)}`);
  narrator.warn('trouble 16');
  narrator.warn('trouble 0');
  expect((await told()).slice(16)).toEqual(['trouble 16', 'trouble 0']);
});
