// Heartbeats of many groups: together to who follows many of them, apart to everybody else, and none is missed.
import { expect, it } from 'vitest';
import type { Announcement } from '../../src/core/effect.ts';
import type { Transport } from '../../src/transport/bus.ts';
import { readMessages } from '../../src/transport/sockets.ts';
import {
  eventually,
  heartbeat,
  openNode,
  openRawPeer,
  openTransport,
  rawHeartbeat,
  temporaryDirectory,
} from './support/nodes.ts';
import type { TestNode } from './support/nodes.ts';

const GROUPS = Array.from({ length: 12 }, (_, i) => `g${String(i)}`);

interface Pair {
  readonly primary: TestNode;
  readonly follower: TestNode;
}

function follow(primaries: Transport, followers: Transport, groups: readonly string[]): Pair[] {
  return groups.map((group) => {
    const primary = openNode(primaries, 'a', { group, run: `${group}-run` });
    const follower = openNode(followers, 'b', { group });
    follower.bus.follow(primary.holder);
    return { primary, follower };
  });
}

/** Heartbeats of all in one turn. */
function beat(pairs: readonly Pair[]): void {
  for (const { primary } of pairs) primary.bus.publish(heartbeat());
}

/** Beats until one message has brought them all. */
async function beatTogether(pairs: readonly Pair[], followers: Transport): Promise<void> {
  let before = followers.counters();
  let looks = 0;
  await eventually(() => {
    const { received, delivered } = followers.counters();
    const heard = delivered - before.delivered;
    if (heard === pairs.length && received - before.received === 1) return;
    looks += 1;
    // Those that were said before anybody had subscribed never come.
    if (heard >= pairs.length || looks % LOOKS_A_BEAT === 0) {
      before = followers.counters();
      beat(pairs);
    }
    throw new Error(`${String(received - before.received)} messages brought ${String(heard)}`);
  });
}

const LOOKS_A_BEAT = 20;

/** Two processes with all groups, of which one follows the other and hears them in one message. */
async function heardTogether(): Promise<{
  readonly directory: string;
  readonly followers: Transport;
  readonly pairs: Pair[];
}> {
  const directory = temporaryDirectory();
  const [primaries, followers] = [openTransport(directory), openTransport(directory)];
  const pairs = follow(primaries, followers, GROUPS);
  await beatTogether(pairs, followers);
  return { directory, followers, pairs };
}

it('come from few groups too to who has heard them together', async () => {
  const { pairs } = await heardTogether();
  for (const { primary } of pairs.splice(3)) await primary.bus.close();
  for (const { follower } of pairs) follower.events.length = 0;
  beat(pairs);
  await eventually(() => {
    expect(pairs.every(({ follower: { events } }) => events.length === 1)).toBe(true);
  });
});

it('come at once from one that promotes, also to who hears them together', async () => {
  const { pairs } = await heardTogether();
  const [first] = pairs;
  if (first === undefined) throw new Error('there are twelve');
  first.follower.events.length = 0;
  first.primary.bus.publish({ ...heartbeat(2), phase: 'promoting' } as Announcement);
  await eventually(() => {
    expect(first.follower.events).toMatchObject([{ phase: 'promoting', epoch: 2 }]);
  });
});

it('have all subscriptions change over, however many groups there are', async () => {
  const directory = temporaryDirectory();
  const { publisher, holder } = await openRawPeer(directory);
  const topics = new Set<string>();
  void readMessages(publisher, ([frame]) => {
    const topic = frame?.toString('latin1', 1) ?? '';
    if (frame?.[0] === 1) topics.add(topic);
    else topics.delete(topic);
  });
  const groups = Array.from({ length: 1_200 }, (_, i) => `g${String(i)}`);
  const followers = openTransport(directory);
  for (const group of groups) {
    openNode(followers, 'b', { group }).bus.follow(holder);
  }
  await eventually(() => {
    expect([topics.size, groups.every((group) => topics.has(`${group}/`))]).toEqual([1_201, true]);
  });
  const [, body] = rawHeartbeat({ group: 'g0' });
  const kinds = ['role', 'promoted', 'shutdown'];
  await eventually(() => {
    publisher.send(['*/heartbeats', `{"v":1,"heartbeats":[${body}]}`]).catch(() => undefined);
    expect(topics.size).toBe(3_601);
  });
  const hasAll = (group: string): boolean => kinds.every((kind) => topics.has(`${group}/${kind}`));
  expect(groups.every(hasAll)).toBe(true);
});

it('come in one message to who follows many groups of a process', async () => {
  const { followers } = await heardTogether();
  expect(Object.values(followers.counters().rejected).every((count) => count === 0)).toBe(true);
});

it('come apart, and those of its own group alone, to who follows one of them', async () => {
  const directory = temporaryDirectory();
  const [primaries, followers] = [openTransport(directory), openTransport(directory)];
  const pairs = follow(primaries, followers, GROUPS);
  const single = openTransport(directory);
  const alone = openNode(single, 'c', { group: 'g3' });
  const [, , , fourth] = pairs;
  if (fourth === undefined) throw new Error('there are twelve');
  alone.bus.follow(fourth.primary.holder);
  await beatTogether(pairs, followers);
  const heard = alone.events.length;
  beat(pairs);
  await eventually(() => {
    expect(alone.events.length).toBeGreaterThan(heard);
  });
  const { received, delivered } = single.counters();
  expect(received).toBe(delivered);
});

it('come before what the same group says next', async () => {
  const { followers, pairs } = await heardTogether();
  const [first] = pairs;
  if (first === undefined) throw new Error('there are twelve');
  first.primary.bus.publish(heartbeat());
  const said = { reason: 'done', successor: null, completed: false, planned: true } as const;
  first.primary.bus.publish({ kind: 'shutdown', epoch: 1, ...said, workloadEndedAgoMs: 1 });
  await eventually(() => {
    expect(first.follower.events.at(-1)?.type).toBe('shutdown-received');
  });
  expect(followers.counters().rejected.replayed).toBe(0);
});

it('come apart from a process that does not say them together', async () => {
  const directory = temporaryDirectory();
  const followers = openTransport(directory);
  const { publisher, holder } = await openRawPeer(directory);
  const nodes = GROUPS.map((group) => {
    const node = openNode(followers, 'b', { group });
    node.bus.follow(holder);
    return node;
  });
  let seq = 0;
  await eventually(() => {
    seq += 1;
    for (const group of GROUPS) {
      const [, body] = rawHeartbeat({ group, seq });
      publisher.send([`${group}/heartbeat`, body]).catch(() => undefined);
    }
    expect(nodes.every(({ events }) => events.length > 1)).toBe(true);
  });
});

it('come apart again after a disconnect, as who listens there next may be of another version', async () => {
  const directory = temporaryDirectory();
  const primaries = openTransport(directory, { name: 'raw' });
  const followers = openTransport(directory);
  const pairs = follow(primaries, followers, GROUPS);
  await beatTogether(pairs, followers);
  await primaries.close();
  const { publisher } = await openRawPeer(directory);
  for (const { follower } of pairs) follower.events.length = 0;
  let seq = 1_000;
  await eventually(() => {
    seq += 1;
    for (const group of GROUPS) {
      const [, body] = rawHeartbeat({ group, node: 'a', run: `${group}-run`, seq });
      publisher.send([`${group}/heartbeat`, body]).catch(() => undefined);
    }
    const isHeard = ({ follower: { events } }: Pair): boolean =>
      events.some(({ type }) => type === 'heartbeat-received');
    expect(pairs.every(isHeard)).toBe(true);
  });
});

it('are signed as one message', async () => {
  const directory = temporaryDirectory();
  const secret = Buffer.from('a secret that both sides know of.');
  const primaries = openTransport(directory, { secret });
  const followers = openTransport(directory, { secret });
  const pairs = follow(primaries, followers, GROUPS);
  await beatTogether(pairs, followers);
  const distrusted = Object.values(followers.counters().distrusted);
  expect(distrusted.every((count) => count === 0)).toBe(true);
});
