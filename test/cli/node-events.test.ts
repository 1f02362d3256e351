// What a node of another version answers is believed as far as it is understood.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNodeEvents } from '../../src/cli/node-events.ts';

const transition = {
  time: '2026-03-01T12:00:00.000Z',
  from: 'watching',
  to: 'acquiring',
  epoch: 3,
  reason: 'lost',
};

/** As it is read of a version that does not say more. */
const bare = { ...transition, role: null, takeover: null };

describe('the answer of a node', () => {
  it('is read whole', () => {
    const explanation = {
      evidence: [{ name: 'heartbeat', text: 'a was heard' }],
      pending: [{ name: 'silence', text: 'it doubts', inMs: 5, isLimit: false }],
    };
    const journal = { path: '/s/web/journal/b1.jsonl', dropped: 0 };
    expect(readNodeEvents({ events: [transition], explanation, journal })).toEqual({
      transitions: [bare],
      explanation,
      journal: journal.path,
    });
  });

  it('has the figures of a takeover, where they are some', () => {
    const about = { kind: 'failover', from: 'a', to: 'b', epoch: 3, reason: 'lost', gapMs: 8.5 };
    const read = (takeover: unknown): unknown =>
      readNodeEvents({ events: [{ ...transition, role: 'primary', takeover }] }).transitions;
    expect(read(about)).toEqual([{ ...transition, role: 'primary', takeover: about }]);
    expect(read({ ...about, gapMs: 'long' })).toEqual([
      { ...transition, role: 'primary', takeover: null },
    ]);
  });

  it('of an earlier version has its transitions alone', () => {
    const { transitions, explanation } = readNodeEvents({ events: [transition] });
    expect([transitions, explanation]).toEqual([[bare], null]);
  });

  it('is left out where it is something else', () => {
    const events = [transition, { ...transition, time: 'soon' }, { ...transition, epoch: '3' }, 7];
    const explanation = { evidence: [{ name: 1, text: 'x' }], pending: [{ name: 'a', text: 'b' }] };
    const read = readNodeEvents({ events, explanation });
    expect(read.transitions).toEqual([bare]);
    expect(read.explanation).toEqual({ evidence: [], pending: [] });
  });

  it('never makes it fail', () => {
    fc.assert(
      fc.property(fc.anything(), (answer) => {
        readNodeEvents(answer);
        readNodeEvents({ events: answer, explanation: answer, journal: answer });
      }),
    );
  });
});
