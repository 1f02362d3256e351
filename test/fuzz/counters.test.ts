// Each reason for which something is refused moves one counter by one, and status shows it.
import { describe, expect, it, onTestFinished } from 'vitest';
import { Dealer } from 'zeromq';
import { groupStatusOf } from '../../src/cli/group-status.ts';
import { readNodeStatus } from '../../src/cli/node-answer.ts';
import { PLAIN } from '../../src/cli/render/plain.ts';
import { statusLines } from '../../src/cli/render/status-text.ts';
import { BODY_LIMIT_BYTES } from '../../src/transport/checks.ts';
import { Tally } from '../../src/transport/counters.ts';
import type { TransportCounters } from '../../src/transport/counters.ts';
import { CONCURRENT_REQUEST_LIMIT } from '../../src/transport/rpc-server.ts';
import { answering, primaryStatus, snapshotOf, statusOf } from '../cli/support/snapshot.ts';
import {
  eventually,
  openNode,
  openRawPeer,
  openTransport,
  publishUntil,
  rawHeartbeat,
  standbyInfo,
  temporaryDirectory,
} from '../transport/support/nodes.ts';

/** Of each kind, what is sent for a cause. */
const MESSAGES: Readonly<Record<string, [string, string]>> = {
  malformed: ['web/heartbeat', '{'],
  oversized: ['web/heartbeat', 'x'.repeat(BODY_LIMIT_BYTES + 1)],
  'foreign-group': rawHeartbeat({ group: 'other' }),
  'unknown-version': rawHeartbeat({ v: 2 }),
  'bad-field': rawHeartbeat({ epoch: -1 }),
  'foreign-node': rawHeartbeat({ seq: 1e6, node: 'another' }),
  replayed: rawHeartbeat({ seq: 1 }),
};
const REQUESTS: Readonly<Record<string, string>> = {
  malformed: '{',
  oversized: 'x'.repeat(BODY_LIMIT_BYTES + 1),
  invalid: '[]',
  'unknown-method': request({ method: 'constructor' }),
  'bad-params': request({ params: {} }),
  'unknown-group': request({ params: { group: 'other' } }),
  'too-many': request({ id: 'one more' }),
};
const ANSWERS: Readonly<Record<string, string>> = {
  malformed: '{"jsonrpc":"2.0"}',
  unasked: '{"jsonrpc":"2.0","id":"77","result":null}',
};

describe('what is refused', () => {
  it('is every cause that there is', () => {
    const { rejected, requestsRejected, answersRejected } = new Tally().snapshot();
    // `distrusted` has tests of its own, with nodes that have a secret or listen at TCP.
    expect(Object.keys(MESSAGES).sort()).toEqual(Object.keys(rejected).sort());
    expect(Object.keys(REQUESTS).sort()).toEqual(Object.keys(requestsRejected).sort());
    expect(Object.keys(ANSWERS).sort()).toEqual(Object.keys(answersRejected).sort());
  });

  it('as a message moves the counter of its cause and no other', async () => {
    const directory = temporaryDirectory();
    const follower = openNode(openTransport(directory), 'b');
    const peer = await openRawPeer(directory);
    follower.bus.follow(peer.holder);
    let seq = 1;
    await publishUntil(
      () => {
        void peer.publisher.send(rawHeartbeat({ seq: (seq += 1), epoch: seq }));
      },
      () => follower.events.length > 0,
    );
    // Those that are still under way come before this one.
    await peer.publisher.send(rawHeartbeat({ seq: 5000, epoch: 5000 }));
    await eventually(() => {
      expect(follower.events.at(-1)).toMatchObject({ epoch: 5000 });
    });
    for (const [cause, message] of Object.entries(MESSAGES)) {
      const before = follower.transport.counters();
      await peer.publisher.send(message);
      await moved(follower.transport, before);
      expect(changes(before, follower.transport.counters())).toEqual([`rejected ${cause} 1`]);
    }
  });

  it('as a request moves the counter of its cause and no other', async () => {
    const busy = openNode(openTransport(temporaryDirectory()), 'a', {
      onRequest: () => new Promise(() => undefined),
    });
    const dealer = new Dealer({ linger: 0 });
    onTestFinished(() => {
      dealer.close();
    });
    dealer.connect(busy.transport.endpoints.rpc);
    for (let id = 0; id < CONCURRENT_REQUEST_LIMIT; id += 1) await dealer.send(request({}));
    await eventually(() => {
      expect(busy.transport.counters().requests).toBe(CONCURRENT_REQUEST_LIMIT);
    });
    for (const [cause, body] of Object.entries(REQUESTS)) {
      const before = busy.transport.counters();
      await dealer.send(body);
      await moved(busy.transport, before);
      const after = busy.transport.counters();
      expect(changes(before, after)).toEqual([`requestsRejected ${cause} 1`]);
    }
  });

  it('as an answer moves the counter of its cause and no other', async () => {
    const directory = temporaryDirectory();
    const follower = openNode(openTransport(directory), 'b');
    const peer = await openRawPeer(directory);
    follower.bus.follow(peer.holder);
    const probe = follower.bus.probe({ timeoutMs: 60_000, standby: standbyInfo() });
    const [who, asked] = await peer.router.receive();
    if (who === undefined || asked === undefined) throw new Error('a request has two frames');
    for (const [cause, body] of Object.entries(ANSWERS)) {
      const before = follower.transport.counters();
      await peer.router.send([who, body]);
      await moved(follower.transport, before);
      const after = follower.transport.counters();
      expect(changes(before, after)).toEqual([`answersRejected ${cause} 1`]);
    }
    // The probe still waits for its own.
    const { id } = JSON.parse(asked.toString()) as { id: string };
    const result = { run: 'raw-run', epoch: 1, role: 'primary', version: '1' };
    await peer.router.send([who, JSON.stringify({ jsonrpc: '2.0', id, result })]);
    expect(await probe).toEqual(result);
  });
});

describe('status', () => {
  it.each([
    ...Object.keys(MESSAGES).map((cause) => ['message', 'rejected', cause] as const),
    ...Object.keys(REQUESTS).map((cause) => ['request', 'requestsRejected', cause] as const),
    ...Object.keys(ANSWERS).map((cause) => ['answer', 'answersRejected', cause] as const),
  ])('shows a refused %s (%s %s), as text and as JSON', (what, kind, cause) => {
    const transport = withCount(kind, cause, 3);
    // An answer that comes too late is asked for no more: people are told both.
    const told = cause === 'unasked' ? 'late or unasked' : cause;
    expect(shown(transport)).toContain(`refused   b: 3 ${what}s (${told})`);
    expect(shown(withCount(kind, cause, 1))).toContain(`refused   b: 1 ${what} (${told})`);
    expect(nodeB(transport)?.transport).toEqual(transport);
  });

  it.each([
    ['unsigned', 'unsigned'],
    ['bad-signature', 'signed with another secret'],
    ['unexpected-signature', 'signed, but no secret is set here'],
    ['repeated', 'repeated'],
    ['unauthorized-key', 'a key that is not authorized'],
    ['broken-handshake', 'no handshake'],
  ])('shows who was not believed to be a node (%s), as text and as JSON', (cause, told) => {
    const none = new Tally().snapshot();
    const transport = { ...none, distrusted: { ...none.distrusted, [cause]: 3 } };
    expect(shown(transport)).toContain(`refused   b: 3 not trusted (${told})`);
    expect(nodeB(transport)?.transport).toEqual(transport);
  });

  it('shows what could not be sent', () => {
    const transport = { ...new Tally().snapshot(), dropped: 2 };
    expect(shown(transport)).toContain('refused   b: 2 not sent');
  });

  it('shows several causes, most first, and nothing where nothing was refused', () => {
    const none = new Tally().snapshot();
    const rejected = { ...none.rejected, replayed: 2, malformed: 5 };
    const requestsRejected = { ...none.requestsRejected, invalid: 1 };
    expect(shown({ ...none, rejected, requestsRejected })).toContain(
      'refused   b: 7 messages (malformed 5, replayed 2), 1 request (invalid)',
    );
    expect(shown(none)).not.toContain('refused');
  });

  it('refuses counters that are none', () => {
    const status = statusOf('b');
    for (const rejected of [{ malformed: -1 }, { malformed: 'x' }, { '[2J': 1 }, null]) {
      const transport = { ...status.transport, rejected };
      expect(readNodeStatus({ ...status, transport })).toBeNull();
    }
  });
});

type Kind = 'rejected' | 'requestsRejected' | 'answersRejected';

/** The counters that differ, each with by how much; those of what arrived aside. */
function changes(before: TransportCounters, after: TransportCounters): readonly string[] {
  const kinds = ['rejected', 'requestsRejected', 'answersRejected'] as const;
  const refused = kinds.flatMap((kind) => {
    const was: Readonly<Record<string, number>> = before[kind];
    return Object.entries(after[kind]).flatMap(([cause, count]) => {
      const more = count - (was[cause] ?? 0);
      return more === 0 ? [] : [`${kind} ${cause} ${more}`];
    });
  });
  const sent = after.delivered - before.delivered + after.dropped - before.dropped;
  return sent === 0 ? refused : [...refused, `delivered or dropped ${sent}`];
}

/** Waits until one more has arrived. */
async function moved(
  transport: { counters(): TransportCounters },
  before: TransportCounters,
): Promise<void> {
  await eventually(() => {
    expect(changes(before, transport.counters())).not.toEqual([]);
  });
}

function withCount(kind: Kind, cause: string, count: number): TransportCounters {
  const none = new Tally().snapshot();
  return { ...none, [kind]: { ...none[kind], [cause]: count } };
}

function snapshotWith(transport: TransportCounters): ReturnType<typeof groupStatusOf> {
  return groupStatusOf(
    snapshotOf('a', [answering(primaryStatus('a')), answering(statusOf('b', { transport }))]),
  );
}

function shown(transport: TransportCounters): string {
  return statusLines(snapshotWith(transport), PLAIN).join('\n');
}

function nodeB(transport: TransportCounters): { readonly transport: unknown } | undefined {
  return snapshotWith(transport).nodes.find(({ id }) => id === 'b');
}

function request(fields: Readonly<Record<string, unknown>>): string {
  const params = { group: 'web' };
  return JSON.stringify({ jsonrpc: '2.0', id: '1', method: 'instance.status', params, ...fields });
}
