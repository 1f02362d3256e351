// Where the primary of a group is, decided from what is said and seen, under virtual time.
import { describe, expect, it } from 'vitest';
import { attachedTo, follow, followWakeAt, initialFollowing } from '../../src/proxy/follow.ts';
import type { FollowEffect, Following, FollowNews } from '../../src/proxy/follow.ts';

const A = { node: 'a', run: 'a1', target: 'http://127.0.0.1:1' };
const B = { node: 'b', run: 'b1', target: 'http://127.0.0.1:2' };

/** One follower: news at given times, and what came of the latest. */
class Stage {
  state: Following = initialFollowing(0);
  at = 0;

  take(news: FollowNews, afterMs = 0): readonly FollowEffect[] {
    this.at += afterMs;
    const { state, effects } = follow(this.state, { ...news, at: this.at });
    this.state = state;
    return effects;
  }

  types(news: FollowNews, afterMs = 0): readonly string[] {
    return this.take(news, afterMs).map(({ type }) => type);
  }

  /** Told that `a` serves in epoch 1. */
  opened(): this {
    this.take({ type: 'observed', epoch: 1, leader: A });
    this.take(answer('a1', 1, 'serving'));
    return this;
  }

  wake(): readonly FollowEffect[] {
    const wakeAt = followWakeAt(this.state);
    if (wakeAt === Infinity) throw new Error('it waits for no time');
    this.at = Math.max(this.at, wakeAt);
    return this.take({ type: 'time-passed' });
  }
}

function answer(
  run: string,
  epoch: number,
  standing: 'serving' | 'starting' | 'closing' | 'none',
): FollowNews {
  return { type: 'answered', run, epoch, standing, intervalMs: 500 };
}

function leads(run: string, epoch: number, target: string | null = null): FollowNews {
  return { type: 'leads', run, epoch, target };
}

describe('a primary that is found', () => {
  it('is asked first, so that it waits for this proxy before it steps down', () => {
    const stage = new Stage();
    const seen = stage.take({ type: 'observed', epoch: 1, leader: A });
    expect(seen).toEqual([{ type: 'ask', run: 'a1', epoch: 1 }]);
    const term = { node: 'a', epoch: 1, target: A.target };
    expect(stage.take(answer('a1', 1, 'serving'))).toEqual([{ type: 'tell-ready', term }]);
  });

  it('is not ready while it starts, and is asked again when it says that it leads', () => {
    const stage = new Stage();
    stage.take({ type: 'observed', epoch: 1, leader: A });
    expect(stage.types(answer('a1', 1, 'starting'))).toEqual([]);
    expect(followWakeAt(stage.state)).toBe(Infinity);
    expect(stage.types(leads('a1', 1))).toEqual(['ask']);
    expect(stage.types(answer('a1', 1, 'serving'))).toEqual(['tell-ready']);
  });

  it('is asked again soon when it said that it leads before it answered that it starts', () => {
    const stage = new Stage();
    stage.take({ type: 'observed', epoch: 1, leader: A });
    stage.take(leads('a1', 1));
    expect(stage.types(answer('a1', 1, 'starting'))).toEqual([]);
    expect(stage.wake()).toEqual([{ type: 'ask', run: 'a1', epoch: 1 }]);
  });

  it('is forwarded to without an answer once it says that it leads', () => {
    const stage = new Stage();
    stage.take({ type: 'observed', epoch: 1, leader: A });
    expect(stage.types({ type: 'unanswered', run: 'a1' })).toEqual([]);
    expect(stage.types(leads('a1', 1))).toEqual(['ask']);
    expect(stage.types({ type: 'unanswered', run: 'a1' })).toEqual(['tell-ready']);
  });

  it('is forwarded to where it says that it is, before what is on record', () => {
    const stage = new Stage();
    stage.take({ type: 'observed', epoch: 1, leader: { ...A, target: null } });
    stage.take(leads('a1', 1, 'http://127.0.0.1:9'));
    const term = { node: 'a', epoch: 1, target: 'http://127.0.0.1:9' };
    expect(stage.take(answer('a1', 1, 'serving'))).toEqual([{ type: 'tell-ready', term }]);
  });

  it('is told of when it says nowhere where it is', () => {
    const stage = new Stage();
    stage.take({ type: 'observed', epoch: 1, leader: { ...A, target: null } });
    stage.take(leads('a1', 1));
    expect(stage.types(answer('a1', 1, 'serving'))).toEqual(['warn']);
  });

  it('is asked again and again, so that it does not forget this proxy', () => {
    const stage = new Stage().opened();
    stage.take(leads('a1', 1), 900);
    stage.take(leads('a1', 1), 900);
    expect(stage.wake()).toEqual([{ type: 'ask', run: 'a1', epoch: 1 }]);
    expect(stage.types(answer('a1', 1, 'serving'))).toEqual([]);
  });
});

describe('authority', () => {
  it('is not had by what is said of a newer epoch before the lease confirms it', () => {
    const stage = new Stage().opened();
    expect(stage.types(leads('b1', 2))).toEqual(['observe']);
    expect(stage.state.told?.node).toBe('a');
  });

  it('is not had by what is said of an older epoch', () => {
    const stage = new Stage().opened();
    stage.take({ type: 'observed', epoch: 2, leader: B });
    expect(stage.types(leads('a1', 1))).toEqual([]);
    const late: FollowNews = { type: 'ended', run: 'b1', epoch: 1, reason: 'late' };
    expect(stage.types(late)).toEqual([]);
  });

  it('is not had by a node that does not hold the lease', () => {
    const stage = new Stage().opened();
    expect(stage.types(leads('b1', 1))).toEqual([]);
    expect(stage.types({ type: 'closes', run: 'b1', epoch: 1 })).toEqual([]);
    expect(stage.types({ type: 'connection-lost', run: 'b1' })).toEqual([]);
  });

  it('never goes back to an older epoch, whatever a look at the lease shows', () => {
    const stage = new Stage().opened();
    stage.take({ type: 'observed', epoch: 2, leader: B });
    expect(stage.types({ type: 'observed', epoch: 1, leader: A })).toEqual([]);
    expect(stage.state.leader).toEqual(B);
  });
});

describe('a primary that is silent', () => {
  it('is doubted when two heartbeats are overdue, and the lease is looked at', () => {
    const stage = new Stage().opened();
    expect(stage.wake().map(({ type }) => type)).toEqual(['tell-doubted', 'observe']);
  });

  it('is doubted when its connection is lost', () => {
    const stage = new Stage().opened();
    const lost: FollowNews = { type: 'connection-lost', run: 'a1' };
    expect(stage.types(lost)).toEqual(['tell-doubted', 'observe']);
    expect(stage.types(lost)).toEqual(['observe']);
  });

  it('is ready again when it is heard', () => {
    const stage = new Stage().opened();
    stage.take({ type: 'connection-lost', run: 'a1' });
    expect(stage.types(leads('a1', 1))).toEqual(['tell-ready']);
  });

  it('is doubted at a claim, and lost only when the next one is ready', () => {
    const stage = new Stage().opened();
    const claimed = stage.types({ type: 'observed', epoch: 2, leader: B });
    expect(claimed).toEqual(['tell-doubted', 'ask']);
    const next = stage.take(answer('b1', 2, 'serving'));
    expect(next).toEqual([
      { type: 'tell-lost', reason: 'b leads in epoch 2', epoch: 1 },
      { type: 'tell-ready', term: { node: 'b', epoch: 2, target: B.target } },
    ]);
  });
});

describe('a primary that starts its command again in place', () => {
  it('is doubted until that serves, in its new epoch', () => {
    const stage = new Stage().opened();
    const again = stage.types({ type: 'observed', epoch: 2, leader: A });
    expect(again).toEqual(['tell-doubted', 'ask']);
    expect(stage.types(answer('a1', 2, 'starting'))).toEqual([]);
    expect(stage.types(leads('a1', 2))).toEqual(['ask']);
    expect(stage.types(answer('a1', 2, 'serving'))).toEqual(['tell-lost', 'tell-ready']);
  });
});

describe('a primary that is about to step down', () => {
  const closes: FollowNews = { type: 'closes', run: 'a1', epoch: 1 };

  it('is told when nothing is under way to it', () => {
    const stage = new Stage().opened();
    expect(stage.take(closes)).toEqual([{ type: 'tell-closing', epoch: 1 }]);
    const said = stage.take({ type: 'drained', epoch: 1 });
    expect(said).toEqual([{ type: 'say-drained', run: 'a1', epoch: 1 }]);
    expect(followWakeAt(stage.state)).toBe(Infinity);
  });

  it('is not forwarded to again in the same epoch, though its heartbeats go on', () => {
    const stage = new Stage().opened();
    stage.take(closes);
    expect(stage.types(leads('a1', 1))).toEqual([]);
    stage.take({ type: 'drained', epoch: 1 });
    expect(stage.types(leads('a1', 1))).toEqual([]);
    expect(stage.types(answer('a1', 1, 'serving'))).toEqual([]);
  });

  it('hears until then that this proxy lives', () => {
    const stage = new Stage().opened();
    stage.take(closes);
    expect(stage.wake().map(({ type }) => type)).toEqual(['ask']);
    expect(stage.types(answer('a1', 1, 'closing'))).toEqual([]);
    expect(stage.wake().map(({ type }) => type)).toEqual(['ask']);
  });

  it('says so in its answer as well, should the word of it be lost', () => {
    const stage = new Stage().opened();
    expect(stage.types(answer('a1', 1, 'closing'))).toEqual(['tell-closing']);
  });

  it('need not wait for a proxy that never forwarded to it', () => {
    const stage = new Stage();
    stage.take({ type: 'observed', epoch: 1, leader: A });
    expect(stage.types(answer('a1', 1, 'closing'))).toEqual(['say-drained']);
  });

  it('is lost with its last word, and the next is ready after that', () => {
    const stage = new Stage().opened();
    stage.take(closes);
    stage.take({ type: 'drained', epoch: 1 });
    const ended: FollowNews = { type: 'ended', run: 'a1', epoch: 1, reason: 'to promote b' };
    expect(stage.types(ended)).toEqual(['tell-lost']);
    expect(stage.types({ type: 'observed', epoch: 2, leader: B })).toEqual(['ask']);
    expect(stage.types(answer('b1', 2, 'serving'))).toEqual(['tell-ready']);
  });

  it('counts on this proxy for as long as something may be under way to it', () => {
    const stage = new Stage();
    expect(attachedTo(stage.state)).toBeNull();
    stage.opened();
    expect(attachedTo(stage.state)).toEqual({ run: 'a1', epoch: 1 });
    stage.take(closes);
    expect(attachedTo(stage.state)).toEqual({ run: 'a1', epoch: 1 });
    stage.take({ type: 'drained', epoch: 1 });
    expect(attachedTo(stage.state)).toBeNull();
  });

  it('is forgotten when the next has claimed before the word of the drain', () => {
    const stage = new Stage().opened();
    stage.take(closes);
    stage.take({ type: 'observed', epoch: 2, leader: B });
    expect(stage.types({ type: 'drained', epoch: 1 })).toEqual([]);
  });
});
