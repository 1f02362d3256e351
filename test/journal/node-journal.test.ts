// The journal of a node on a disk: bounded, after the fact, and never in the way.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { journalOfNode } from '../../src/journal/find-journal.ts';
import { JournalFile, journalPaths } from '../../src/journal/journal-file.ts';
import { NodeJournal } from '../../src/journal/node-journal.ts';
import { pruneJournals } from '../../src/journal/prune.ts';
import { readJournal } from '../../src/journal/read-journal.ts';
import { replayJournal } from '../../src/journal/replay.ts';
import { until } from '../support/until.ts';
import { ABOUT, stepsOfALife } from './support.ts';

let group = '';
let directory = '';
let nodesDirectory = '';
let isBusy = false;

beforeEach(() => {
  group = mkdtempSync(join(tmpdir(), 'failover-journal-'));
  directory = join(group, 'journal');
  nodesDirectory = join(group, 'nodes');
  isBusy = false;
  mkdirSync(nodesDirectory);
});

afterEach(() => {
  rmSync(group, { recursive: true, force: true });
});

function openJournal(isTakingOver = (): boolean => false): NodeJournal {
  const about = ABOUT;
  // A takeover is waited for up to twenty times this long.
  const delayMs = 5;
  return new NodeJournal({ directory, nodesDirectory, about, isBusy: isTakingOver, delayMs });
}

/** Once there are some. */
async function droppedBy(journal: NodeJournal): Promise<number> {
  return until('lines to be dropped', () => journal.report().dropped || null);
}

function text(): string {
  const path = join(directory, 'b1.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

const steps = stepsOfALife(5, 200);
const [first] = steps.filter(({ move }) => move !== null);
const untilFirst = steps.slice(0, steps.findIndex((step) => step === first) + 1);

describe('the journal of a node', () => {
  it('is written at once where the node is to be suspended, and goes on after that', async () => {
    const about = ABOUT;
    const journal = new NodeJournal({
      ...{ directory, nodesDirectory, about, isBusy: () => false },
      delayMs: 1e6,
    });
    for (const step of untilFirst) journal.note(step);
    await journal.flush();
    const before = text();
    expect(before).toContain('"kind":"event"');
    for (const step of steps.slice(untilFirst.length)) journal.note(step);
    await journal.close();
    expect(text().length).toBeGreaterThan(before.length);
    expect(text().startsWith(before)).toBe(true);
  });

  it('has every decision, readable by its owner alone', async () => {
    const journal = openJournal();
    for (const step of steps.slice(0, 100)) journal.note(step);
    await until('the first lines', text);
    for (const step of steps.slice(100)) journal.note(step);
    await journal.close();
    const { divergences, gaps, events } = replayJournal(readJournal(text()));
    expect({ divergences, gaps, events }).toEqual({ divergences: [], gaps: 0, events: 200 });
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'b1.jsonl')).mode & 0o777).toBe(0o600);
    expect(journal.report().dropped).toBe(0);
  });

  it('writes nothing while a takeover is under way, and all of it after', async () => {
    let asked = 0;
    const isTakingOver = (): boolean => {
      asked += 1;
      return isBusy;
    };
    isBusy = true;
    const journal = openJournal(isTakingOver);
    for (const step of untilFirst) journal.note(step);
    await until('a write that is put off', () => asked > 2);
    expect(existsSync(directory)).toBe(false);
    isBusy = false;
    await until('the lines', text);
    await journal.close();
  });

  it('writes nothing about what changes nothing', async () => {
    const journal = openJournal();
    for (const step of untilFirst.slice(0, -1)) journal.note(step);
    for (const step of untilFirst) journal.note(step);
    await until('the lines', text);
    const size = text().length;
    const [quiet] = steps.filter(({ move, before, state }) => {
      return move === null && before.warning === state.warning && before.paused === state.paused;
    });
    if (quiet === undefined) throw new Error('no quiet step');
    for (let count = 0; count < 1_000; count += 1) journal.note({ ...quiet, state: quiet.before });
    expect(text()).toHaveLength(size);
    await journal.close();
  });

  it('drops lines where its group has no directory any more, makes none, and tells later', async () => {
    const journal = openJournal();
    rmSync(group, { recursive: true });
    for (const step of untilFirst) journal.note(step);
    const dropped = await droppedBy(journal);
    expect(existsSync(group)).toBe(false);
    mkdirSync(group);
    for (const step of steps.slice(untilFirst.length)) journal.note(step);
    await journal.close();
    expect(readJournal(text()).dropped).toBe(dropped);
    expect(replayJournal(readJournal(text())).divergences).toEqual([]);
  });

  it('drops lines where something is in the way, and never throws', async () => {
    writeFileSync(directory, 'not a directory');
    const journal = openJournal();
    for (const step of untilFirst) journal.note(step);
    expect(await droppedBy(journal)).toBeGreaterThan(0);
    await journal.close();
  });

  it('drops lines where a pipe is in the way, and waits for no reader of it', async () => {
    mkdirSync(directory);
    expect(spawnSync('mkfifo', [join(directory, 'b1.jsonl')]).status).toBe(0);
    const journal = openJournal();
    for (const step of untilFirst) journal.note(step);
    expect(await droppedBy(journal)).toBeGreaterThan(0);
    await journal.close();
    expect(journalOfNode(directory, 'b')).toBeNull();
  });

  it('drops what can not be put into words, and never throws', async () => {
    const journal = openJournal();
    const [step] = steps;
    if (step === undefined) throw new Error('no step');
    const toJSON = (): never => {
      throw new Error('no words');
    };
    const event = Object.assign({ type: 'time-passed', at: 1 } as const, { toJSON });
    journal.noteRefusal(step.before, event, 'time went back');
    expect(await droppedBy(journal)).toBe(2);
    await journal.close();
  });

  it('has the event at which the core refused to go on', async () => {
    const journal = openJournal();
    const [step] = steps;
    if (step === undefined) throw new Error('no step');
    const event = { type: 'lease-released', heldBy: null, at: 1 } as const;
    journal.noteRefusal(step.before, event, 'time went back');
    await journal.close();
    const last = readJournal(text()).entries.at(-1);
    expect(last).toMatchObject({ event, recorded: { refusal: 'time went back' } });
  });
});

describe('the file of a run', () => {
  it('is put aside when it is full, once, and each begins with who writes', async () => {
    const file = new JournalFile(journalPaths(directory, 'r'), () => 'head\n', 100);
    const line = `${'x'.repeat(39)}\n`;
    for (let count = 0; count < 20; count += 1) await file.append(line);
    expect(readdirSync(directory).sort()).toEqual(['r.1.jsonl', 'r.jsonl']);
    for (const name of readdirSync(directory)) {
      const content = readFileSync(join(directory, name), 'utf8');
      expect(content).toMatch(/^head\n/);
      expect(content.length).toBeLessThanOrEqual(100);
    }
  });

  it('is begun anew after it was removed', async () => {
    const file = new JournalFile(journalPaths(directory, 'r'), () => 'head\n');
    await file.append('one\n');
    rmSync(directory, { recursive: true });
    expect(await file.append('two\n')).toBe(true);
    expect(readFileSync(join(directory, 'r.jsonl'), 'utf8')).toBe('head\ntwo\n');
  });

  it('keeps what follows a failed write apart from half a line', async () => {
    const file = new JournalFile(journalPaths(directory, 'r'), () => 'head\n');
    await file.append('one\n');
    const path = join(directory, 'r.jsonl');
    // A directory in its place fails for every user, root too.
    const content = readFileSync(path, 'utf8');
    rmSync(path);
    mkdirSync(path);
    await expect(file.append('two\n')).rejects.toMatchObject({ code: 'EISDIR' });
    rmSync(path, { recursive: true });
    writeFileSync(path, `${content}half a li`);
    await file.append('three\n');
    expect(readFileSync(path, 'utf8')).toBe('head\none\nhalf a li\nthree\n');
  });
});

it('a file whose first write failed half way has its first line all the same', async () => {
  mkdirSync(directory);
  const path = join(directory, 'r.jsonl');
  symlinkSync('/dev/full', path);
  const file = new JournalFile(journalPaths(directory, 'r'), () => 'head\n');
  await expect(file.append('one\n')).rejects.toMatchObject({ code: 'ENOSPC' });
  rmSync(path);
  writeFileSync(path, 'he');
  await file.append('two\n');
  expect(readFileSync(path, 'utf8')).toBe('he\nhead\ntwo\n');
});

describe('journals of runs that have ended', () => {
  it('are kept up to a number, those of registered nodes always', async () => {
    mkdirSync(directory);
    chmodSync(directory, 0o700);
    for (let number = 0; number < 40; number += 1) {
      const run = `run${String(number).padStart(2, '0')}`;
      for (const name of [`${run}.jsonl`, `${run}.1.jsonl`]) {
        writeFileSync(join(directory, name), '');
        utimesSync(join(directory, name), 1_000 + number, 1_000 + number);
      }
    }
    writeFileSync(join(nodesDirectory, 'run03.json'), '{}');
    writeFileSync(join(directory, 'notes.txt'), 'of somebody else');
    await pruneJournals(directory, nodesDirectory);
    const runs = new Set(readdirSync(directory).map((name) => name.slice(0, name.indexOf('.'))));
    const newest = Array.from({ length: 16 }, (_, place) => `run${String(24 + place)}`);
    expect([...runs].sort()).toEqual(['notes', 'run03', ...newest]);
  });
});
