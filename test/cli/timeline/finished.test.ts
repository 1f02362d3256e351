// A journal is read until two looks in a row have shown that nobody writes to it any more.
import { expect, it } from 'vitest';
import { endedAmong, finishedAmong } from '../../../src/cli/timeline/finished.ts';
import type { Strand } from '../../../src/cli/timeline/event.ts';
import { silentNode } from '../support/snapshot.ts';
import { BEGIN, strand } from '../support/told.ts';

const known = new Set(['run-a']);
const short = strand('a', [[1, 'watching', 1]]);
const long = strand('a', [
  [1, 'watching', 1],
  [2, 'stopping', 1],
]);

it('is finished at the second look that shows the same, and stays so unread', () => {
  const looks = [look([short]), look([long]), look([long]), look([])];
  expect(follow(looks)).toEqual([[], [], ['run-a'], ['run-a']]);
});

it('is not finished while the node lives, nor with what is still to be told', () => {
  const node = silentNode('a', 'unresponsive');
  const living = { nodes: [{ ...node, record: { ...node.record, run: 'run-a' } }] };
  expect(endedAmong({ ...base, snapshot: living, strands: [long] }).size).toBe(0);
  expect(endedAmong({ ...base, strands: [long], askedAtMs: BEGIN }).size).toBe(0);
});

const base = { snapshot: { nodes: [] }, known, askedAtMs: BEGIN + 100 };

function look(strands: readonly Strand[]): ReadonlyMap<string, number> {
  return endedAmong({ ...base, strands });
}

function follow(looks: readonly ReadonlyMap<string, number>[]): readonly (readonly string[])[] {
  let finished: ReadonlySet<string> = new Set();
  let ended: ReadonlyMap<string, number> = new Map();
  return looks.map((endedNow) => {
    finished = finishedAmong({ known, finished, ended, endedNow });
    ended = endedNow;
    return [...finished];
  });
}
