// A journal as it is read: after a crash, a full disk, or from a later version.
import { spawn } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { journalAccount } from '../../src/cli/account.ts';
import { describeProcess } from '../../src/fence/process-view.ts';
import { decodeExact, encodeExact } from '../../src/journal/exact-json.ts';
import { droppedLine } from '../../src/journal/lines.ts';
import { JournalError, looksLikeJournal, readJournal } from '../../src/journal/read-journal.ts';
import { withoutArguments } from '../../src/journal/redact.ts';
import { replayJournal } from '../../src/journal/replay.ts';
import { drawPlan } from '../../src/simulation/plan.ts';
import { writeTranscript } from '../../src/simulation/transcript.ts';
import { DESCRIPTION, journalOf, stepsOfALife } from './support.ts';

const steps = stepsOfALife(5, 30);
const text = journalOf(steps);

describe('a text', () => {
  it('has no arguments of a process, wherever it stands', () => {
    const text = `Is silent: a is stopped, ${DESCRIPTION}, and spared; pid 8 (sh)`;
    expect(withoutArguments(text)).toBe(
      'Is silent: a is stopped, pid 7 (mysql …), and spared; pid 8 (sh)',
    );
  });

  it('is left so by a second time, and is the same as a part and as a whole', () => {
    const part = withoutArguments(DESCRIPTION);
    expect(withoutArguments(part)).toBe(part);
    expect(withoutArguments(`It ended: ${part} (1 s)`)).toBe(
      withoutArguments(`It ended: ${DESCRIPTION} (1 s)`),
    );
  });

  it('of a running process is described so that this finds its end', () => {
    const script = 'setTimeout(() => {}, 60000) // --token=secret';
    const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const described = describeProcess(child.pid ?? -1);
    expect(described).toContain('setTimeout[');
    expect(withoutArguments(`a is hung, ${described}`)).toMatch(/^a is hung, pid \d+ \(\S+ …\)$/);
  });

  it('goes into a journal without them, and is decided again all the same', () => {
    const lives = Array.from({ length: 20 }, (_, seed) => stepsOfALife(seed, 300));
    const told = lives.filter((life) =>
      life.some(({ state }) => state.warning?.includes('psecret') === true),
    );
    expect(told.length).toBeGreaterThan(0);
    for (const life of told) {
      const journal = journalOf(life);
      expect(journal).toContain('pid 7 (mysql …)');
      expect(journal).not.toContain('psecret');
      expect(replayJournal(readJournal(journal)).divergences).toEqual([]);
    }
  });
});

describe('a number', () => {
  it.each([0.1 + 0.2, Infinity, -Infinity, 1e300, -7])('%d is read as it was written', (number) => {
    expect(decodeExact(encodeExact({ at: [number] }))).toEqual({ at: [number] });
  });
});

describe('a journal', () => {
  it('is told from a transcript of the simulator', () => {
    expect(looksLikeJournal(text)).toBe(true);
    expect(looksLikeJournal(writeTranscript(drawPlan({ seed: 1, nodes: 2, kinds: [] })))).toBe(
      false,
    );
    expect(looksLikeJournal('no JSON')).toBe(false);
  });

  it('gives each event with its time, also one that repeats another', () => {
    const { entries } = readJournal(text);
    const events = entries.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []));
    expect(events).toEqual(steps.map(({ event }) => event));
    expect(text).toContain('"same":');
  });

  it('loses only the line that a crash has cut off', () => {
    const whole = readJournal(text);
    const cut = readJournal(text.slice(0, -20));
    expect(cut.skipped).toEqual({ corrupt: 1, unknown: 0 });
    expect(cut.entries).toHaveLength(whole.entries.length - 1);
  });

  it.each([
    ['of a later form', '{"v":2,"kind":"event"}', { corrupt: 0, unknown: 1 }],
    ['of an unknown kind', '{"v":1,"kind":"dream"}', { corrupt: 0, unknown: 1 }],
    ['that is no JSON', '\u0000\u0000\u0000', { corrupt: 1, unknown: 0 }],
    ['that is no object', '[1]', { corrupt: 1, unknown: 0 }],
    ['without an event', '{"v":1,"kind":"event","n":4,"at":1}', { corrupt: 1, unknown: 0 }],
    ['without a state', '{"v":1,"kind":"state","n":4}', { corrupt: 1, unknown: 0 }],
  ])('skips a line %s and counts it', (_, line, skipped) => {
    const journal = readJournal(`${text}${line}\n`);
    expect(journal.skipped).toEqual(skipped);
    expect(journal.entries).toEqual(readJournal(text).entries);
  });

  it('counts what its node could not write', () => {
    expect(readJournal(text + droppedLine(3, 'disk full') + droppedLine(2, '')).dropped).toBe(5);
  });

  it.each([
    ['without a first line', text.slice(text.indexOf('\n') + 1), 'no line identifies the run'],
    ['without a setting', text.replace('"probeAttempts":', '"tries":'), 'probeAttempts'],
    ['of nothing', '', 'no line identifies the run'],
  ])('%s is refused', (_, wrong, message) => {
    expect(() => readJournal(wrong)).toThrow(JournalError);
    expect(() => readJournal(wrong)).toThrow(message);
  });
});

describe('a damaged journal', () => {
  const damage = fc.record({ at: fc.nat(text.length - 1), length: fc.nat(40), by: fc.string() });

  it('is read and decided again as far as it goes, and told of, whatever is damaged', () => {
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        const damaged = damages.reduce(
          (before, { at, length, by }) => before.slice(0, at) + by + before.slice(at + length),
          text,
        );
        try {
          const journal = readJournal(damaged);
          replayJournal(journal);
          const presence = { presence: 'gone', silence: null } as const;
          const account = journalAccount({ path: '/j', journal }, presence);
          JSON.stringify(account);
        } catch (error) {
          if (!(error instanceof JournalError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });
});
