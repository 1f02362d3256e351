// A journal is decided again exactly; where it was altered, or the core was, that is found.
import { describe, expect, it } from 'vitest';
import { transition } from '../../src/core/transition.ts';
import { encodeExact } from '../../src/journal/exact-json.ts';
import { readJournal } from '../../src/journal/read-journal.ts';
import { withoutArguments } from '../../src/journal/redact.ts';
import { replayJournal } from '../../src/journal/replay.ts';
import type { Decide } from '../../src/journal/replay.ts';
import { journalOf, stepsOfALife } from './support.ts';

const LIVES = Array.from({ length: 40 }, (_, seed) => stepsOfALife(seed, 300));
const LONG = LIVES.find((steps) => steps.length === 300) ?? [];
const MOVES = LONG.filter(({ move }) => move !== null).length;

describe('a journal', () => {
  it('is decided again to the last step, whatever happened', () => {
    for (const steps of LIVES) {
      const result = replayJournal(readJournal(journalOf(steps)));
      expect(result).toMatchObject({ divergences: [], gaps: 0, passedOver: 0 });
      expect(result.events).toBe(steps.length);
      expect(result.transitions).toBe(steps.filter(({ move }) => move !== null).length);
      expect(encodeExact(result.last)).toBe(encodeExact(steps.at(-1)?.state, withoutArguments));
    }
    expect(Math.max(...LIVES.map((steps) => steps.length))).toBe(300);
  });

  it('of which a recorded decision was altered is found out there, and nowhere else', () => {
    const lines = journalOf(LONG).split('\n');
    const places = lines.flatMap((line, index) => (line.includes('"move"') ? [index] : []));
    const place = places[4] ?? -1;
    lines[place] = (lines[place] ?? '').replace(/"reason":"[^"]+/, '"reason":"By the weather');
    const { divergences } = replayJournal(readJournal(lines.join('\n')));
    expect(divergences).toHaveLength(1);
    expect(divergences[0]).toMatchObject({
      line: place + 1,
      transition: 5,
      recorded: { reason: 'By the weather' },
      now: { reason: LONG.filter(({ move }) => move !== null)[4]?.reason },
    });
  });

  it('of which an effect was left out is found out', () => {
    const text = journalOf(LONG).replace('"acquire-lease"', '"release-lease"');
    const [divergence] = replayJournal(readJournal(text)).divergences;
    expect(divergence?.recorded.effects).toContain('release-lease');
    expect(divergence?.now.effects).toContain('acquire-lease');
  });

  it('of which a state was altered is found out by the field', () => {
    const lines = journalOf(LONG).split('\n');
    const place = lines.findLastIndex((line) => line.includes('"kind":"state"'));
    lines[place] = (lines[place] ?? '').replace(/"staleMessages":\d+/, '"staleMessages":77');
    const { divergences } = replayJournal(readJournal(lines.join('\n')));
    expect(divergences.map(({ stateFields }) => stateFields)).toEqual([['staleMessages']]);
  });

  it('shows where another core decides differently, and goes on at the next recorded state', () => {
    const impatient: Decide = (state, event, settings) => {
      const next = transition(state, event, settings);
      return next.move === 'promoted' ? { ...next, reason: 'Leads', effects: [] } : next;
    };
    const { divergences, passedOver } = replayJournal(readJournal(journalOf(LONG)), impatient);
    const promotions = LONG.filter(({ move }) => move === 'promoted').length;
    expect(promotions).toBeGreaterThan(0);
    expect(divergences.length).toBeGreaterThan(0);
    expect(divergences.every(({ now }) => now.reason === 'Leads')).toBe(true);
    expect(passedOver).toBeGreaterThan(0);
  });

  it('shows a core that refuses to go on', () => {
    const refusing: Decide = (state, event, settings) => {
      if (event.type === 'lease-granted') throw new Error('the epoch went back');
      return transition(state, event, settings);
    };
    const [divergence] = replayJournal(readJournal(journalOf(LONG)), refusing).divergences;
    expect(divergence?.now.refusal).toBe('the epoch went back');
  });

  it('with lines missing says so, and is decided again from the next state on', () => {
    const lines = journalOf(LONG).split('\n');
    const whole = replayJournal(readJournal(lines.join('\n')));
    const lost = lines.findIndex((line) => line.includes('"n":23,'));
    lines.splice(lost, 1, '{"v":1,"kind":"event","n":23,"at":');
    const journal = readJournal(lines.join('\n'));
    const result = replayJournal(journal);
    expect(journal.skipped.corrupt).toBe(1);
    expect(result).toMatchObject({ divergences: [], gaps: 1 });
    expect(result.passedOver).toBeGreaterThan(0);
    expect(result.events + result.passedOver).toBe(whole.events - 1);
  });

  it('without its first state has nothing to begin with until the next', () => {
    const lines = journalOf(LONG)
      .split('\n')
      .filter((line) => !line.includes('"kind":"state","n":0,'));
    const result = replayJournal(readJournal(lines.join('\n')));
    expect(result).toMatchObject({ divergences: [], passedOver: 10 });
    expect(result.transitions).toBeLessThanOrEqual(MOVES);
  });
});
