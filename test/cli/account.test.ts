// What a node has left behind that can not be asked, in the words of its journal.
import { describe, expect, it } from 'vitest';
import { accountOf, journalAccount } from '../../src/cli/account.ts';
import { readJournal } from '../../src/journal/read-journal.ts';
import { journalOf, stepsOfALife } from '../journal/support.ts';
import { silentNode, snapshotOf } from './support/snapshot.ts';

const steps = stepsOfALife(5, 300);
const moves = steps.filter(({ move }) => move !== null);
const found = { path: '/state/web/journal/b1.jsonl', journal: readJournal(journalOf(steps)) };

describe('the account of a journal', () => {
  it('is that of its last line, and waits for nothing', () => {
    const account = journalAccount(found, { presence: 'gone', silence: null });
    const last = moves.at(-1);
    expect(account).toMatchObject({
      id: 'b',
      source: 'journal',
      silence: 'it ended unexpectedly',
      phase: last?.state.phase,
      reason: last?.reason,
      waitsFor: [],
      journal: found.path,
    });
    expect(account.transitions).toHaveLength(moves.length);
    expect(account.evidence.map(({ name }) => name)).toContain('lateness');
    expect(account.lastChance).not.toBeNull();
  });

  it('tells an end in order from one without a word', () => {
    const text = journalOf(steps);
    const end = '{"v":1,"kind":"event","n":301,"at":9e9,"event":{"type":"time-passed"},';
    const told = '"move":"stopped","from":"watching","to":"stopped","role":"stopped","epoch":1,';
    const line = `${end}${told}"reason":"Stopped","time":"2026-03-01T12:00:00.000Z"}`;
    const journal = readJournal(`${text}${line}\n`);
    const account = journalAccount({ ...found, journal }, { presence: 'gone', silence: null });
    expect([account.silence, account.phase]).toEqual(['it has exited gracefully', 'stopped']);
  });

  it('goes by what was recorded, where not all that led there can be decided again', () => {
    const lost = '{"v":1,"kind":"event","n":400,"at":9e9,"event":{"type":"lease-granted"},';
    const told = '"move":"promoted","from":"starting","to":"serving","role":"primary","epoch":7,';
    const line = `${lost}${told}"reason":"Leads","time":"2026-03-01T12:00:00.000Z"}`;
    const journal = readJournal(`${journalOf(steps)}${line}\n`);
    const account = journalAccount({ ...found, journal }, { presence: 'gone', silence: null });
    expect(account).toMatchObject({ role: 'primary', phase: 'serving', epoch: 7 });
    // What it knew is that of an earlier time.
    expect(account).toMatchObject({ evidence: [], warning: null });
  });

  it('tells no time that is none', () => {
    const dated = '{"v":1,"kind":"event","n":301,"at":5,"event":{"type":"time-passed"},';
    const told = '"move":"x","from":"watching","to":"waiting","role":"secondary","epoch":1,';
    const late = '{"v":1,"kind":"event","n":302,"at":9e300,"event":{"type":"time-passed"}}';
    const line = `${dated}${told}"reason":"R","time":"2026-03-01T12:00:00.000Z"}\n${late}\n`;
    const journal = readJournal(`${journalOf(steps)}${line}`);
    const account = journalAccount({ ...found, journal }, { presence: 'gone', silence: null });
    expect([account.asOf, account.phase]).toEqual([null, 'waiting']);
  });

  it('says of a living node why it is not its own', () => {
    const presence = 'unresponsive' as const;
    const silence = 'its process is stopped';
    expect(journalAccount(found, { presence, silence }).silence).toBe(silence);
  });
});

describe('a node without an answer and without a journal', () => {
  it('is told of by its record, and it is said why', async () => {
    const seen = silentNode('c', 'unresponsive', 'no answer in 500ms');
    expect(await accountOf(seen, snapshotOf('a', [seen]))).toMatchObject({
      id: 'c',
      source: 'record',
      silence: 'no answer in 500ms',
      phase: null,
      transitions: [],
    });
    const gone = silentNode('d', 'gone');
    expect((await accountOf(gone, snapshotOf('a', [gone]))).silence).toBe('it has ended');
  });
});
