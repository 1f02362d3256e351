// What nodes say of themselves beside the election is understood as it was meant, and believed only after a look.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeAbout, laterWord, NO_WORD, readAbout } from '../../../src/lease/peers/about.ts';
import type { GroupWord } from '../../../src/lease/peers/about.ts';
import { KeptWord } from '../../../src/lease/peers/kept-word.ts';
import type { StoredNode } from '../../../src/lease/remote-store.ts';

const RECORD: StoredNode = {
  ...{ node: 'a', run: 'r1', host: 'h', version: '1', standby: 'cold', priority: 100 },
  ...{ endpoints: { bus: 'ipc://bus', rpc: 'ipc://rpc' }, startedAt: '2026-01-01T00:00:00Z' },
};

const WORD: GroupWord = { number: 3, node: 'a', pausedBy: 'me@here', completed: 7 };

describe('what a node says of itself', () => {
  it('is read as it was written, under the name that the heartbeat has', () => {
    const about = encodeAbout(RECORD, WORD);
    expect(readAbout({ node: 'a', run: 'r1', about })).toEqual({
      record: { ...RECORD, pid: process.pid },
      holder: { node: 'a', run: 'r1', endpoints: RECORD.endpoints },
      word: WORD,
    });
  });

  it('goes without its addresses where they are too long for a heartbeat', () => {
    const long = `ipc://${'x'.repeat(900)}`;
    const about = encodeAbout({ ...RECORD, endpoints: { bus: long, rpc: long } }, WORD);
    expect(readAbout({ node: 'a', run: 'r1', about }).holder?.endpoints.bus).toBe('');
  });

  it.each(['', '{', '[]', 'null', '{"word":{"number":-1,"node":"a"}}', '{"word":{"number":1}}'])(
    'is nothing where it is not understood: %s',
    (about) => {
      const read = readAbout({ node: 'a', run: 'r1', about });
      expect(read).toEqual({ record: null, holder: null, word: NO_WORD });
    },
  );
});

describe('what was said to a group', () => {
  it('is the latest, and of two at once the same one everywhere', () => {
    const later = { ...WORD, number: 4, pausedBy: null };
    const [one, other] = [WORD, { ...WORD, node: 'b', pausedBy: null }];
    for (const [a, b, wins] of [
      [WORD, later, later],
      [one, other, other],
    ] as const) {
      expect([laterWord(a, b), laterWord(b, a)]).toEqual([wins, wins]);
    }
  });

  it('is kept in the directory of the node', async () => {
    const marks = mkdtempSync(join(tmpdir(), 'fo-'));
    onTestFinished(() => {
      rmSync(marks, { recursive: true });
    });
    const kept = new KeptWord({ marks });
    expect(kept.read()).toEqual(NO_WORD);
    await kept.write(WORD);
    expect(new KeptWord({ marks }).read()).toEqual(WORD);
    writeFileSync(join(marks, 'said'), 'garbage');
    expect(kept.read()).toEqual(NO_WORD);
  });
});
