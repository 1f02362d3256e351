// The gate under a clock that is moved by hand: who goes when, who is refused, and when it is drained.
import { describe, expect, it } from 'vitest';
import type { Gate, Place } from '../../src/proxy/gate.ts';
import { sceneOf, termOf } from './support/visitor.ts';

const again = (gate: Gate, place: Place): void => {
  gate.again(place, { unreached: false });
};

describe('a gate', () => {
  it('lets through at once while the primary serves', () => {
    const { gate, told, enter } = sceneOf();
    gate.ready(termOf('a', 1));
    enter('x');
    expect(told).toEqual(['x goes to a/1']);
    expect(gate.counts.held).toBe(0);
  });

  it('holds while nobody leads, and lets go in the order of coming', () => {
    const { gate, clock, told, enter, placeOf } = sceneOf();
    enter('x', 'y', 'z');
    expect(gate.load).toMatchObject({ held: 3, underWay: 0 });
    clock.advance(400);
    gate.ready(termOf('a', 1));
    expect(told).toEqual(['x goes to a/1', 'y goes to a/1', 'z goes to a/1']);
    expect(placeOf('x').waitedMs).toBe(400);
    expect(gate.counts).toEqual({ held: 3, longestHeldMs: 400 });
  });

  it('holds what is new while the primary is doubted, and leaves alone what is under way', () => {
    const { gate, told, enter } = sceneOf();
    gate.ready(termOf('a', 1));
    enter('x');
    gate.doubted('it is silent');
    enter('y');
    expect(told).toEqual(['x goes to a/1']);
    gate.ready(termOf('a', 1));
    expect(told).toEqual(['x goes to a/1', 'y goes to a/1']);
  });

  it('cuts what is under way when the primary is lost', () => {
    const { gate, told, enter } = sceneOf();
    gate.ready(termOf('a', 1));
    enter('x', 'y');
    gate.lost('its process is gone');
    expect(told.slice(2)).toEqual([
      'x is cut: its process is gone',
      'y is cut: its process is gone',
    ]);
    expect(gate.load).toMatchObject({ held: 0, underWay: 0 });
  });

  it('lets those that come back go before those who came later', () => {
    const { gate, told, enter } = sceneOf({}, again);
    gate.ready(termOf('a', 1));
    enter('x', 'y');
    gate.lost('gone');
    enter('z');
    gate.ready(termOf('b', 2));
    expect(told.slice(4)).toEqual(['x goes to b/2', 'y goes to b/2', 'z goes to b/2']);
  });

  it('does not go to the term before, when the loss of it comes late', () => {
    const { gate, told, enter } = sceneOf();
    gate.ready(termOf('a', 1));
    gate.ready(termOf('b', 2));
    enter('x');
    gate.lost('gone', 1);
    enter('y');
    expect(told).toEqual(['x goes to b/2', 'y goes to b/2']);
  });

  it('does not let all go at once to a primary that is new', () => {
    const { gate, told, enter, placeOf } = sceneOf();
    const names = Array.from({ length: 100 }, (_, index) => `v${String(index)}`);
    enter(...names);
    gate.ready(termOf('a', 1));
    expect(told).toHaveLength(16);
    gate.answered();
    gate.leave(placeOf('v0'));
    // One has left, and one more may be under way.
    expect(told).toHaveLength(18);
    expect(gate.load).toMatchObject({ held: 82, underWay: 17 });
  });

  it('lets more go in time, where the answers are slow', () => {
    const { gate, clock, told, enter } = sceneOf();
    enter(...Array.from({ length: 100 }, (_, index) => `v${String(index)}`));
    gate.ready(termOf('a', 1));
    clock.advance(250);
    expect(told).toHaveLength(32);
    clock.advance(500);
    expect(told).toHaveLength(100);
  });

  it('has no more under way than there are slots, and none for what streams', () => {
    const { gate, told, enter, placeOf } = sceneOf({ slots: 2 });
    gate.ready(termOf('a', 1));
    enter('x', 'y', 'z');
    expect(told).toHaveLength(2);
    gate.stream(placeOf('x'));
    expect(told).toHaveLength(3);
    expect(gate.load).toMatchObject({ held: 0, underWay: 3 });
  });

  it('tries a primary that does not listen yet with one, and not at once', () => {
    const { gate, clock, told, enter, placeOf } = sceneOf();
    gate.ready(termOf('a', 1));
    enter('x', 'y');
    for (const name of ['x', 'y']) gate.again(placeOf(name), { unreached: true });
    expect(told.slice(2)).toEqual([]);
    clock.advance(19);
    expect(told.slice(2)).toEqual([]);
    clock.advance(1);
    expect(told.slice(2)).toEqual(['x goes to a/1']);
    gate.reached();
    expect(told.slice(2)).toEqual(['x goes to a/1', 'y goes to a/1']);
  });

  it('tries it again also while others are under way to it, however long they are', () => {
    const { gate, clock, told, enter, placeOf } = sceneOf();
    gate.ready(termOf('a', 1));
    enter('long', 'longer', 'x');
    gate.again(placeOf('x'), { unreached: true });
    enter('y');
    clock.advance(20);
    expect(told.slice(3)).toEqual(['x goes to a/1']);
    gate.again(placeOf('x'), { unreached: true });
    clock.advance(40);
    expect(told.slice(4)).toEqual(['x goes to a/1']);
    // Its client has gone before it was connected.
    gate.leave(placeOf('x'));
    expect(told.slice(5)).toEqual(['y goes to a/1']);
    enter('z');
    expect(told.slice(6)).toEqual([]);
    gate.reached();
    expect(told.slice(6)).toEqual(['z goes to a/1']);
  });

  it('tries it again also where the one that reached it last stays under way', () => {
    const { gate, clock, told, enter, placeOf } = sceneOf();
    gate.ready(termOf('a', 1));
    enter('x');
    gate.again(placeOf('x'), { unreached: true });
    clock.advance(20);
    gate.reached();
    enter('y');
    gate.again(placeOf('y'), { unreached: true });
    clock.advance(20);
    expect(told.slice(3)).toEqual(['y goes to a/1']);
  });

  it.each([0.005, 0.015, 0.025, 0.035, 0.045])(
    'tries it again also where its timer is %d ms early, and time passes while it looks',
    (earlyMs) => {
      let nowMs = 0;
      let wake = (): void => undefined;
      const wakes: number[] = [];
      const ticking = {
        now: () => (nowMs += 0.01),
        wakeAt: (atMs: number, callback: () => void) => {
          wakes.push(atMs);
          wake = callback;
          return () => undefined;
        },
      };
      const { gate, told, enter, placeOf } = sceneOf({}, undefined, ticking);
      gate.ready(termOf('a', 1));
      enter('x');
      gate.again(placeOf('x'), { unreached: true });
      nowMs = (wakes.at(-1) ?? 0) - earlyMs;
      wake();
      nowMs += 1;
      if (told.length === 1) wake();
      expect(told).toEqual(['x goes to a/1', 'x goes to a/1']);
      // None of them for the end of its wait.
      expect(wakes.every((atMs) => atMs < 1_000)).toBe(true);
    },
  );

  it('refuses those that have waited too long, and says whether there was a primary', () => {
    const { gate, clock, told, enter } = sceneOf({ waitMs: 100, slots: 1 });
    enter('x');
    clock.advance(50);
    enter('y');
    clock.advance(50);
    expect(told).toEqual(['x is refused: no-primary']);
    expect(gate.counts).toEqual({ held: 2, longestHeldMs: 100 });
    gate.ready(termOf('a', 1));
    enter('z');
    clock.advance(100);
    expect(told.slice(1)).toEqual(['y goes to a/1', 'z is refused: hold-timeout']);
    expect(clock.pending).toBe(0);
  });

  it('says of those that waited for one that does not listen that it does not', () => {
    const { gate, clock, told, enter, placeOf } = sceneOf({ waitMs: 100 });
    gate.ready(termOf('a', 1));
    enter('x');
    gate.again(placeOf('x'), { unreached: true });
    clock.advance(20);
    gate.again(placeOf('x'), { unreached: true });
    enter('y');
    clock.advance(40);
    gate.again(placeOf('x'), { unreached: true });
    clock.advance(80);
    expect(told.filter((text) => text.includes('refused'))).toEqual([
      'x is refused: unreachable',
      'y is refused: unreachable',
    ]);
  });

  it('counts the time of those that come back together', () => {
    const { gate, clock, told, enter } = sceneOf({ waitMs: 100 }, again);
    enter('x');
    clock.advance(60);
    gate.ready(termOf('a', 1));
    clock.advance(1_000);
    gate.lost('gone');
    clock.advance(39);
    expect(told.at(-1)).toBe('x is cut: gone');
    clock.advance(1);
    expect(told.at(-1)).toBe('x is refused: no-primary');
  });

  it('holds no more than it may, and has room for those that come back', () => {
    const { gate, told, enter } = sceneOf({ requests: 2 }, again);
    gate.ready(termOf('a', 1));
    enter('x');
    gate.lost('gone');
    enter('y', 'z');
    expect(told.at(-1)).toBe('z cannot be held');
    expect(gate.load.held).toBe(2);
  });

  it('lets through at once also where nothing may be held', () => {
    const { gate, told, enter } = sceneOf({ requests: 0 });
    enter('x');
    gate.ready(termOf('a', 1));
    enter('y');
    gate.doubted('it is silent');
    enter('z');
    expect(told).toEqual(['x cannot be held', 'y goes to a/1', 'z cannot be held']);
  });

  it('lets one go after another whose going brings it, leaves, or comes back', () => {
    const { gate, clock, told, enter, placeOf } = sceneOf();
    const visits = (name: string, onGo: (place: Place) => void): void => {
      gate.enter({
        go: ({ node, epoch }, place) => {
          told.push(`${name} goes to ${String(node)}/${String(epoch)}`);
          onGo(place);
          told.push(`${name} has gone`);
        },
        refuse: (why) => told.push(`${name} is refused: ${why}`),
        close: () => undefined,
        cut: () => undefined,
      });
    };
    gate.ready(termOf('a', 1));
    visits('brings', (place) => {
      enter('x');
      gate.leave(place);
    });
    expect(told).toEqual(['brings goes to a/1', 'brings has gone', 'x goes to a/1']);
    gate.leave(placeOf('x'));
    let isSecond = false;
    visits('returns', (place) => {
      if (!isSecond) gate.again(place, { unreached: true });
      isSecond = true;
    });
    enter('y');
    expect(told.slice(3)).toEqual(['returns goes to a/1', 'returns has gone']);
    expect(gate.load).toMatchObject({ held: 2, underWay: 0 });
    clock.advance(20);
    expect(told.slice(5)).toEqual(['returns goes to a/1', 'returns has gone']);
    gate.reached();
    expect(told.at(-1)).toBe('y goes to a/1');
    expect(gate.load).toMatchObject({ held: 0, underWay: 2 });
  });

  it('keeps no more bytes than it may', () => {
    const { gate } = sceneOf({ bytes: 100 });
    expect([gate.reserve(60), gate.reserve(41), gate.reserve(40)]).toEqual([true, false, true]);
    gate.free(60);
    expect(gate.load.bytes).toBe(40);
  });

  it('forgets who leaves while it waits', () => {
    const { gate, told, enter, placeOf } = sceneOf();
    enter('x', 'y');
    gate.leave(placeOf('x'));
    gate.ready(termOf('a', 1));
    expect(told).toEqual(['y goes to a/1']);
  });

  it('refuses and cuts all when it is stopped', () => {
    const { gate, told, enter, clock } = sceneOf({}, again);
    gate.ready(termOf('a', 1));
    enter('x');
    gate.doubted('it is silent');
    enter('y');
    gate.stop();
    expect(told.slice(1)).toEqual([
      'x is cut: the proxy ends',
      'x is refused: stopping',
      'y is refused: stopping',
    ]);
    expect([gate.load.held, clock.pending]).toEqual([0, 0]);
  });
});

describe('a drain', () => {
  it('is over exactly when nothing is under way any more', () => {
    const { gate, told, enter, placeOf } = sceneOf();
    gate.ready(termOf('a', 1));
    enter('x', 'y');
    let drains = 0;
    gate.closing(() => (drains += 1));
    enter('z');
    expect(told.slice(2)).toEqual(['x is to close', 'y is to close']);
    gate.leave(placeOf('x'));
    expect(drains).toBe(0);
    gate.leave(placeOf('y'));
    expect(drains).toBe(1);
    gate.ready(termOf('b', 2));
    expect([told.at(-1), drains]).toEqual(['z goes to b/2', 1]);
  });

  it('is over at once where nothing is under way, or nobody leads', () => {
    const { gate } = sceneOf();
    let drains = 0;
    gate.closing(() => (drains += 1));
    gate.ready(termOf('a', 1));
    gate.closing(() => (drains += 1));
    expect(drains).toBe(2);
  });

  it('is over also when the last one waits to go again', () => {
    const { gate, enter, placeOf } = sceneOf();
    gate.ready(termOf('a', 1));
    enter('x');
    let drains = 0;
    gate.closing(() => (drains += 1));
    gate.again(placeOf('x'), { unreached: false });
    expect(drains).toBe(1);
  });

  it('is not told of once another leads', () => {
    const { gate, enter } = sceneOf();
    gate.ready(termOf('a', 1));
    enter('x');
    let drains = 0;
    gate.closing(() => (drains += 1));
    gate.ready(termOf('b', 2));
    expect(drains).toBe(0);
  });
});
