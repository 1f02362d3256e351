// Bus frames bent in every way: each is a message that can be sent again, or is refused for one reason.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BODY_LIMIT_BYTES } from '../../src/transport/checks.ts';
import { WIRE_REJECTIONS, decode, encode } from '../../src/transport/wire.ts';
import type { BusMessage, Decoded } from '../../src/transport/wire.ts';
import { corpus, draws, expectPrototypesClean, expectSeen } from './support/fuzz.ts';
import { anyBytes, bentBytes, bentJson, oddText } from './support/odd.ts';

const SENDER = { group: 'web', node: 'a', run: 'r1', seq: 7, sentAt: '2026-01-01T00:00:00.000Z' };

const MESSAGES: readonly BusMessage[] = [
  {
    ...SENDER,
    kind: 'heartbeat',
    epoch: 3,
    phase: 'primary',
    uptimeMs: 12.5,
    startedAt: SENDER.sentAt,
    succession: ['b', 'c'],
    lastTakeover: { kind: 'failover', from: 'z', to: 'a', epoch: 3, reason: 'gone', gapMs: 8.1 },
  },
  { ...SENDER, kind: 'role', epoch: 3, role: 'primary', reason: 'This node is now primary' },
  {
    ...SENDER,
    kind: 'promoted',
    epoch: 3,
    previous: 'z',
    reason: 'gone',
    endpoints: { bus: 'ipc:///x/a.bus', rpc: 'ipc:///x/a.rpc' },
  },
  {
    ...SENDER,
    kind: 'shutdown',
    epoch: 3,
    reason: 'SIGTERM',
    successor: 'b',
    completed: false,
    planned: true,
    workloadEndedAgoMs: 4,
  },
];

const bent: fc.Arbitrary<Buffer[]> = fc.constantFrom(...MESSAGES).chain((message) => {
  const { kind, ...rest } = message;
  const topic = fc.oneof(
    { weight: 4, arbitrary: fc.constant(`web/${kind}`) },
    fc.constantFrom('web/', '/heartbeat', 'web/__proto__', 'web/constructor', 'web\u0000/role'),
    oddText.map((text) => `${text}/${kind}`),
  );
  const body = bentBytes(bentJson({ v: 1, ...rest }));
  return fc.tuple(topic.map(toBytes), fc.oneof({ weight: 8, arbitrary: body }, anyBytes));
});

describe('a bus message', () => {
  it.each(corpus('bus-message'))('$name', ({ name, bytes }) => {
    expect(judge(readFrames(bytes))).toBe(name.split('~')[0]);
  });

  it('is accepted as it can be sent again, or refused for one reason', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(bent, (frames) => {
        seen.add(judge(frames));
      }),
      draws(1500),
    );
    expectPrototypesClean();
    const oversized = [toBytes('web/role'), Buffer.alloc(BODY_LIMIT_BYTES + 1, ' ')];
    seen.add(judge(oversized));
    expectSeen(seen, ['accepted', ...WIRE_REJECTIONS]);
  });

  it('of any number of frames is refused unless there are two', () => {
    fc.assert(
      fc.property(fc.array(anyBytes, { maxLength: 5 }), (frames) => {
        if (frames.length !== 2) expect(judge(frames)).toBe('malformed');
      }),
      draws(200),
    );
  });

  it('is not looked into when it is too long, whatever its length', () => {
    for (const lengthBytes of [BODY_LIMIT_BYTES + 1, 2 ** 20, 2 ** 24]) {
      // A proxy of the bytes that may be asked for their number only.
      const body = new Proxy(new Uint8Array(0), {
        get(_, key) {
          if (key === 'length') return lengthBytes;
          throw new Error(`${String(key)} was read`);
        },
      });
      expect(decode([toBytes('web/role'), body], () => true)).toEqual({ rejected: 'oversized' });
    }
  });
});

/** What becomes of the frames; fails where an accepted message does not come out of itself. */
function judge(frames: readonly Uint8Array[]): string {
  const decoded: Decoded = decode(frames, (group) => group === 'web');
  if ('rejected' in decoded) {
    expect(WIRE_REJECTIONS).toContain(decoded.rejected);
    return decoded.rejected;
  }
  const { message } = decoded;
  const model = MESSAGES.find(({ kind }) => kind === message.kind) ?? {};
  expect(Object.keys(message).sort()).toEqual(Object.keys(model).sort());
  const again = decode(encode(message).map(toBytes), () => true);
  // JSON has one zero.
  expect(again).toEqual({ message: JSON.parse(JSON.stringify(message)) as unknown });
  return 'accepted';
}

/** A corpus file is the topic, a newline and the body. */
function readFrames(bytes: Buffer): Buffer[] {
  const end = bytes.indexOf('\n');
  return [bytes.subarray(0, end), bytes.subarray(end + 1)];
}

function toBytes(text: string): Buffer {
  return Buffer.from(text);
}
