// `failover explain` for people: what is not known of a node is left out.
import { describe, expect, it } from 'vitest';
import { accountOf } from '../../../src/cli/account.ts';
import type { Account } from '../../../src/cli/account.ts';
import { explainLines } from '../../../src/cli/render/explain-text.ts';
import { PLAIN } from '../../../src/cli/render/plain.ts';
import { silentNode, snapshotOf } from '../support/snapshot.ts';

function linesOf(...nodes: readonly Account[]): readonly string[] {
  const lease = { held: false, holder: null, epoch: 1, problem: null };
  const about = { v: 1, group: 'web', answer: 'Nobody leads.', primary: null } as const;
  return explainLines({ ...about, paused: false, lease, nodes }, PLAIN, new Date(0));
}

describe('the text of an explanation', () => {
  it('claims nothing of what a node without a journal could have done', async () => {
    const gone = silentNode('a', 'gone');
    expect(linesOf(await accountOf(gone, snapshotOf(null, [gone])))).toEqual([
      'Nobody leads.',
      '  lease        free; the highest epoch is 1',
      '',
      'a  it has ended; it has left no journal',
    ]);
  });
});
