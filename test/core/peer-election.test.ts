// The lowest id alive leads, and nobody beside it: by hand, and over random schedules in virtual time.
import { describe, expect, it } from 'vitest';
import {
  advanceTerm,
  beginElection,
  beginRound,
  hearPeer,
  isLeading,
  leaderOf,
  ownWords,
  wantToLead,
} from '../../src/core/peer-election.ts';
import type { PeerElection, PeerSettings } from '../../src/core/peer-election.ts';
import { mayStillLead } from '../../src/core/peer-table.ts';
import type { Heartbeat } from '../../src/core/peer-table.ts';
import { INTERVAL_MS, LEASE_MS, PeerWorld } from '../support/peer-world.ts';

/** How long one listens that has just begun. */
const LISTEN_MS = LEASE_MS + 2 * INTERVAL_MS;

const SETTINGS: PeerSettings = {
  node: 'm',
  run: 'm-1',
  target: 'http://m',
  intervalMs: INTERVAL_MS,
  leaseMs: LEASE_MS,
  preempts: true,
};

describe('a node alone', () => {
  it('listens for one lease and two rounds, and leads then', () => {
    let election = begin();
    for (let at = 0; at < LISTEN_MS; at += INTERVAL_MS) {
      election = beginRound(election, at, SETTINGS);
      expect(isLeading(election, at, SETTINGS)).toBe(false);
    }
    election = beginRound(election, LISTEN_MS, SETTINGS);
    expect(isLeading(election, LISTEN_MS, SETTINGS)).toBe(true);
    expect(leaderOf(election, LISTEN_MS, SETTINGS)).toEqual({ node: 'm', target: 'http://m' });
    expect(election.term).toBe(1);
  });

  it('doubts itself after a sleep, before any timer has told it of that', () => {
    const election = leading();
    const wokenAt = LISTEN_MS + LEASE_MS;
    expect(isLeading(election, wokenAt - 1, SETTINGS)).toBe(true);
    expect(isLeading(election, wokenAt, SETTINGS)).toBe(false);
    const woken = beginRound(election, wokenAt, SETTINGS);
    expect(ownWords(woken, wokenAt, SETTINGS)).toMatchObject({ bid: null, leads: false });
    const later = rounds(woken, wokenAt, wokenAt + LEASE_MS);
    expect(later.term).toBe(2);
  });

  it('doubts itself after a shorter one when others may not have heard it for a lease', () => {
    const { settings, wokenAt } = { settings: SETTINGS, wokenAt: LISTEN_MS + LEASE_MS - 1 };
    const said = words('z', { supports: { run: 'm-1', number: 1 } });
    const heard = { at: LISTEN_MS + 10, heardUsAt: LISTEN_MS - INTERVAL_MS, settings };
    const { election } = hearPeer(leading(), said, heard);
    const late = beginRound(election, wokenAt, SETTINGS);
    expect([late.term, isLeading(late, wokenAt, SETTINGS)]).toEqual([1, false]);
    const again = { at: wokenAt, heardUsAt: wokenAt, settings };
    const { election: assured } = hearPeer(late, { ...said, seq: 2 }, again);
    expect(isLeading(assured, wokenAt, SETTINGS)).toBe(true);
  });

  it('leads not while it is not to, and with the epoch that it is told of', () => {
    const started = beginElection(0, SETTINGS, { wants: false, epoch: 0 });
    const waiting = rounds(started, 0, LEASE_MS * 3);
    expect(waiting.bid).toBeNull();
    const asked = { at: LEASE_MS * 3, settings: SETTINGS };
    const willing = wantToLead(waiting, { wants: true, epoch: 41 }, asked);
    expect(willing.term).toBe(42);
    expect(wantToLead(willing, { wants: false, epoch: 0 }, asked).term).toBeNull();
  });
});

describe('a node that hears others', () => {
  it('gives way to a lower id that bids, at once', () => {
    const heard = hear(leading(), words('a', { bid: 1 }), LISTEN_MS);
    expect(heard.term).toBeNull();
    expect(ownWords(heard, LISTEN_MS, SETTINGS).supports).toEqual({ run: 'a-1', number: 1 });
  });

  it('goes on while a lower id only listens, and while a higher one bids', () => {
    const heard = hear(leading(), words('a', { bid: null }), LISTEN_MS);
    expect(hear(heard, words('z', { bid: 7 }), LISTEN_MS).term).toBe(1);
  });

  it('begins only when each that lives gives way to this very bid', () => {
    const at = LISTEN_MS;
    const listening = hear(rounds(begin(), 0, at - 1), words('z', { leads: true, bid: 3 }), at - 1);
    const bidding = beginRound(listening, at, SETTINGS);
    expect([bidding.bid, bidding.term]).toEqual([1, null]);
    const toAnother = words('z', { seq: 2, supports: { run: 'm-1', number: 0 } });
    expect(hear(bidding, toAnother, at).term).toBeNull();
    const toThis = words('z', { seq: 3, supports: { run: 'm-1', number: 1 }, epoch: 9 });
    expect(hear(bidding, toThis, at).term).toBe(10);
  });

  it('leads under a new epoch when another has led meanwhile, and not before all give way to it', () => {
    const own = { run: 'm-1', number: 1 };
    const another = words('z', { epoch: 5, leads: true, supports: { run: 'z-1', number: 1 } });
    const doubting = hear(leading(), another, LISTEN_MS);
    expect(doubting.term).toBeNull();
    const yielding = words('z', { seq: 2, epoch: 5, supports: own });
    expect(hear(doubting, yielding, LISTEN_MS).term).toBe(6);
  });

  it('counts a silent one no more after a lease, and forgets it after ten', () => {
    const heard = hear(begin(), words('a', { bid: 1, leads: true }), 0);
    expect(leaderOf(heard, LEASE_MS - 1, SETTINGS)?.target).toBe('http://a');
    expect(leaderOf(heard, LEASE_MS, SETTINGS)).toBeNull();
    const later = rounds(heard, 0, LEASE_MS * 11);
    expect(later.term).toBe(1);
    expect(hear(later, words('b', {}), LEASE_MS * 11).peers.has('a')).toBe(false);
  });

  it('counts one that was told a longer lease for as long, as it may lead for so long', () => {
    const longMs = 2 * LISTEN_MS;
    const led = words('a', { bid: 1, leads: true, term: 1, epoch: 1, leaseMs: longMs });
    const silent = rounds(hear(begin(), led, 0), 0, longMs - 1);
    expect([silent.term, leaderOf(silent, longMs - 1, SETTINGS)?.node]).toEqual([null, 'a']);
    expect(beginRound(silent, longMs, SETTINGS).term).toBe(2);
    const anew = hear(silent, words('a', { run: 'a-2' }), longMs - 1);
    expect(mayStillLead(anew.peers, longMs - 1)).toBe(true);
    expect(mayStillLead(anew.peers, longMs)).toBe(false);
    expect(ownWords(silent, 0, SETTINGS).leaseMs).toBe(LEASE_MS);
  });

  it('counts no silence over a time in which it did not listen itself', () => {
    const heard = hear(begin(), words('a', { bid: 1, leads: true }), 0);
    const lateMs = LEASE_MS - INTERVAL_MS - 1;
    const late = beginRound(heard, INTERVAL_MS + lateMs, SETTINGS);
    expect(leaderOf(late, LEASE_MS + lateMs - 1, SETTINGS)?.node).toBe('a');
    expect(leaderOf(late, LEASE_MS + lateMs, SETTINGS)).toBeNull();
  });

  it('knows no leader once it has left', () => {
    const heard = hear(begin(), words('a', { bid: 1, leads: true }), 0);
    const left = hear(heard, words('a', { seq: 2, leads: true, leaving: true }), 1);
    expect(leaderOf(left, 1, SETTINGS)).toBeNull();
  });

  it('takes nothing twice, and nothing that was overtaken', () => {
    const heard = hear(begin(), words('a', { seq: 5, leads: true }), 0);
    for (const seq of [5, 4]) {
      const again = hearPeer(heard, words('a', { seq }), {
        ...{ at: 50, heardUsAt: 50, settings: SETTINGS },
      });
      expect(again.verdict).toBe('replayed');
      expect(again.election.peers.get('a')).toMatchObject({ seq: 5, seenAt: 0 });
    }
  });

  it('refuses ids beyond its limit, and goes on with those that it has', () => {
    let election = begin();
    for (let count = 0; count < 64; count += 1) {
      election = hear(election, words(`p${String(count)}`, {}), 0);
    }
    const one = { at: 0, heardUsAt: 0, settings: SETTINGS };
    expect(hearPeer(election, words('late', {}), one).verdict).toBe('crowded');
    expect(hearPeer(election, words('p7', { seq: 2 }), one).verdict).toBe('heard');
  });

  it('takes its own words for no one else', () => {
    const own = hearPeer(leading(), words('m', { seq: 9, bid: 1 }), {
      ...{ at: LISTEN_MS, heardUsAt: LISTEN_MS, settings: SETTINGS },
    });
    expect(own.verdict).toBe('own');
    expect(own.election.term).toBe(1);
  });
});

describe('two under one id', () => {
  it('give way when one hears the other', () => {
    const heard = hear(leading(), words('m', { run: 'm-2' }), LISTEN_MS);
    expect([heard.bid, heard.term]).toEqual([null, null]);
    expect(rounds(heard, LISTEN_MS, LISTEN_MS + LEASE_MS).term).toBe(2);
  });

  it('give way when a third one tells them', () => {
    expect(hear(leading(), words('z', { doubles: ['m'] }), LISTEN_MS).term).toBeNull();
    expect(hear(leading(), words('z', { doubles: ['n'] }), LISTEN_MS).term).toBe(1);
  });

  it('are noticed by a third one when the earlier run speaks up again, not when a node was started anew', () => {
    const first = hear(begin(), words('a', { bid: 1 }), 0);
    const second = hear(first, words('a', { run: 'a-2', bid: 1 }), 1);
    expect(ownWords(second, 1, SETTINGS).doubles).toEqual([]);
    const third = hear(second, words('a', { seq: 2, bid: 1 }), 2);
    expect(ownWords(third, 2, SETTINGS)).toMatchObject({ doubles: ['a'], supports: null });
  });
});

describe('a node whose work takes a while to end', () => {
  const HELD: PeerSettings = { ...SETTINGS, preempts: false, untilReleased: true };
  const own = { run: 'm-1', number: 1 };
  const started = beginElection(0, HELD, { wants: true, epoch: 0 });
  const held = rounds(started, 0, LISTEN_MS, HELD);
  const heard = (said: Heartbeat, election = held): PeerElection =>
    hear(election, said, LISTEN_MS, HELD);

  it('bids before it has listened for long enough, so that others know, and leads not earlier', () => {
    const early = rounds(started, 0, LISTEN_MS - 1, HELD);
    expect([early.bid, early.term]).toEqual([1, null]);
    expect(rounds(started, 0, LEASE_MS - 1, HELD).bid).toBeNull();
    const later = heard(words('z', { bid: 1, supports: { run: 'z-1', number: 1 } }), early);
    expect(ownWords(later, LISTEN_MS, HELD)).toMatchObject({ bid: 1, supports: own });
  });

  it('gives way to nobody that bids', () => {
    const next = heard(words('a', { bid: 1 }));
    expect([next.term, ownWords(next, LISTEN_MS, HELD).supports]).toEqual([1, own]);
  });

  it('is over when another leads under a newer epoch, and says that it leads until that is said to be over', () => {
    const over = heard(words('z', { bid: 1, leads: true, term: 2, epoch: 2 }));
    expect(isLeading(over, LISTEN_MS, HELD)).toBe(false);
    const said = ownWords(over, LISTEN_MS, HELD);
    expect(said).toMatchObject({ leads: true, term: null, bid: 1 });
    const again = hear(over, words('z', { seq: 2, leaving: true }), LISTEN_MS, HELD);
    expect(again.term).toBeNull();
    const asked = { at: LISTEN_MS, settings: HELD };
    const released = wantToLead(again, { wants: false, epoch: 0 }, asked);
    expect(ownWords(released, LISTEN_MS, HELD)).toMatchObject({ leads: false, bid: null });
    expect(wantToLead(released, { wants: true, epoch: 0 }, asked)).toMatchObject({
      ...{ bid: 2, term: 3 },
    });
  });

  it('is the one that goes on after a partition, by the newer epoch, and of one epoch by the lower id', () => {
    const older = heard(words('a', { bid: 1, leads: true, term: 0, epoch: 0 }));
    expect(older.term).toBe(1);
    expect(heard(words('z', { bid: 1, leads: true, term: 1, epoch: 1 })).term).toBe(1);
    expect(heard(words('a', { bid: 1, leads: true, term: 1, epoch: 1 })).term).toBeNull();
  });

  it('holds on over a sleep, and leads no more', () => {
    const wokenAt = LISTEN_MS + LEASE_MS;
    const woken = beginRound(held, wokenAt, HELD);
    expect(ownWords(woken, wokenAt, HELD)).toMatchObject({ leads: true, term: null });
    expect(rounds(woken, wokenAt, wokenAt + 3 * LEASE_MS, HELD).term).toBeNull();
  });

  it('leads on under a next epoch above all that are known', () => {
    const asked = { at: LISTEN_MS, settings: HELD };
    const next = advanceTerm(held, 0, asked);
    expect([next?.term, next?.epoch]).toEqual([2, 2]);
    expect(advanceTerm(held, 7, asked)?.term).toBe(8);
    expect(advanceTerm(started, 7, { at: 0, settings: HELD })).toBeNull();
  });
});

describe('one that led and was started anew', () => {
  const led = words('a', { bid: 1, leads: true, term: 1, epoch: 1 });
  const anew = words('a', { run: 'a-2', supports: { run: 'm-1', number: 1 } });
  const at = LISTEN_MS;
  const knows = hear(hear(rounds(begin(), 0, at - 2), led, at - 2), anew, at - 1);

  it('keeps others from leading until what it had may have ended', () => {
    const bidding = beginRound(knows, at, SETTINGS);
    expect([bidding.bid, bidding.term, ownWords(bidding, at, SETTINGS).supports]).toEqual([
      ...[1, null, null],
    ]);
    const later = hear(rounds(bidding, at, at + LEASE_MS), { ...anew, seq: 2 }, at + LEASE_MS);
    expect(later.term).toBe(2);
  });

  it('keeps nobody once somebody has said good-bye for it, which makes no second one of it', () => {
    const bidding = beginRound(knows, at, SETTINGS);
    const leaving = words('a', { seq: 2, leaving: true, epoch: 1 });
    const free = hear(bidding, leaving, at);
    expect([free.term, ownWords(free, at, SETTINGS).doubles]).toEqual([2, []]);
    expect(free.peers.get('a')?.run).toBe('a-2');
  });
});

describe('in virtual time', () => {
  it('the lowest id leads, and when it is killed the next one', () => {
    const world = worldOf(1, ['zzz', 'aaa', 'mmm']);
    world.run(2_000);
    expect(world.views()).toEqual({ aaa: 'aaa', mmm: 'aaa', zzz: 'aaa' });
    world.kill('aaa');
    world.run(1_000);
    expect(world.views()).toEqual({ mmm: 'mmm', zzz: 'mmm' });
  });

  it('a lower id that comes back takes over', () => {
    const world = worldOf(2, ['aaa', 'zzz']);
    world.run(1_500);
    world.kill('aaa');
    world.run(1_000);
    expect(world.leading()).toEqual(['zzz']);
    world.start('aaa');
    world.run(1_500);
    expect(world.views()).toEqual({ aaa: 'aaa', zzz: 'aaa' });
    expect(world.epochs).toEqual([...new Set(world.epochs)].sort((a, b) => a - b));
  });

  it('a lower id that comes back stands by where none takes over from one that leads', () => {
    const world = worldOf(3, ['zzz'], 'stays');
    world.run(1_000);
    world.start('aaa');
    world.run(1_000);
    expect(world.views()).toEqual({ aaa: 'zzz', zzz: 'zzz' });
    world.kill('zzz');
    world.run(1_000);
    expect(world.leading()).toEqual(['aaa']);
  });

  it('one that was stopped claims nothing when it goes on', () => {
    const world = worldOf(4, ['aaa', 'zzz']);
    world.run(1_000);
    world.stop('aaa');
    world.run(1_000);
    expect(world.leading()).toEqual(['zzz']);
    world.resume('aaa');
    world.run(LEASE_MS - INTERVAL_MS);
    expect(world.leading()).toEqual(['zzz']);
    world.run(1_000);
    expect(world.leading()).toEqual(['aaa']);
  });

  it.each(['preempts', 'stays'] as const)(
    'never do two lead, whoever is stopped, killed or started when (one with a lower id %s)',
    (kind) => {
      for (let seed = 1; seed <= 30; seed += 1) play(seed, kind);
    },
  );

  it('never is there work of two, whoever is stopped, killed or started when, with a guard for each', () => {
    for (let seed = 1; seed <= 30; seed += 1) play(seed, 'held');
  });
});

/** Trouble at random, and then an hour of rest in which somebody has to lead. */
function play(seed: number, kind: 'preempts' | 'stays' | 'held'): void {
  const world = new PeerWorld(seed * 7919, kind);
  const ids = ['a', 'b', 'c', 'd'].slice(0, 2 + (seed % 3));
  const stopped = new Set<string>();
  for (let step = 0; step < 40; step += 1) {
    const id = ids[Math.floor(world.chance() * ids.length)] ?? 'a';
    if (!world.nodes.has(id)) {
      world.start(id);
    } else if (stopped.has(id)) {
      world.resume(id);
      stopped.delete(id);
    } else if (world.chance() < 0.4) {
      world.kill(id);
    } else {
      world.stop(id);
      stopped.add(id);
    }
    world.run(world.chance() * 700);
  }
  for (const id of stopped) world.resume(id);
  for (const id of ids) if (!world.nodes.has(id)) world.start(id);
  world.run(5_000);
  expect([seed, world.leading().length]).toEqual([seed, 1]);
}

function worldOf(seed: number, ids: readonly string[], kind?: 'stays'): PeerWorld {
  const world = new PeerWorld(seed, kind);
  for (const id of ids) world.start(id);
  return world;
}

function begin(): PeerElection {
  return beginElection(0, SETTINGS, { wants: true, epoch: 0 });
}

/** It leads since it has listened. */
function leading(): PeerElection {
  return rounds(begin(), 0, LISTEN_MS);
}

/** Every interval one, and one at the end. */
function rounds(
  election: PeerElection,
  from: number,
  until: number,
  settings: PeerSettings = SETTINGS,
): PeerElection {
  let next = election;
  for (let at = from; at < until; at += INTERVAL_MS) next = beginRound(next, at, settings);
  return beginRound(next, until, settings);
}

function hear(
  election: PeerElection,
  heartbeat: Heartbeat,
  at: number,
  settings: PeerSettings = SETTINGS,
): PeerElection {
  return hearPeer(election, heartbeat, { at, heardUsAt: at, settings }).election;
}

function words(node: string, said: Partial<Heartbeat>): Heartbeat {
  return {
    ...{ node, run: `${node}-1`, seq: 1, target: `http://${node}` },
    ...{ bid: null, leads: false, term: null, supports: null, epoch: 0, doubles: [] },
    ...{ leaving: false, leaseMs: 0, about: '' },
    ...said,
  };
}
