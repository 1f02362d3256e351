// What a terminal sends, as keys.
import { expect, it } from 'vitest';
import { keysIn } from '../../../src/cli/watch/keys.ts';

it.each([
  ['\u001b[A', ['up']],
  ['\u001bOB', ['down']],
  ['jjk', ['down', 'down', 'up']],
  ['\u001b[5~\u001b[6~', ['page-up', 'page-down']],
  ['\r', ['enter']],
  ['\u001b', ['escape']],
  ['\u0003', ['ctrl-c']],
  ['\u001a', ['ctrl-z']],
  ['py', ['p', 'y']],
  ['é€😀', ['é', '€', '😀']],
  ['', []],
] as const)('%j is %j', (input, keys) => {
  expect(keysIn(input)).toEqual(keys);
});

it('takes a sequence that it does not know for one key, so that nothing in it is obeyed', () => {
  // Alt-p, a function key, a mouse that moved.
  for (const sequence of ['\u001bp', '\u001b[15~', '\u001b[200~']) {
    expect(keysIn(sequence)).toEqual([sequence]);
  }
});
