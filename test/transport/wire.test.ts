// Bus messages: what is sent is accepted, and nothing else is, and no bytes do harm.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BODY_LIMIT_BYTES, TEXT_LIMIT } from '../../src/transport/checks.ts';
import { decode, encode, topicPrefix } from '../../src/transport/wire.ts';
import type { BusMessage, Decoded } from '../../src/transport/wire.ts';
import { rawHeartbeat } from './support/nodes.ts';

const knowsWeb = (group: string): boolean => group === 'web';
const name = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/);
const text = fc.string({ maxLength: TEXT_LIMIT, unit: 'binary' });
const count = fc.maxSafeNat();
const durationMs = fc.double({ min: 0, max: 1e12, noNaN: true }).map((value) => value + 0);
const takeover = fc.record({
  kind: fc.constantFrom('failover', 'switchover', 'start'),
  from: fc.option(name),
  to: name,
  epoch: count,
  reason: text,
  gapMs: fc.option(durationMs),
});
const sender = { group: name, node: name, run: name, seq: count, sentAt: text, epoch: count };
const demotions = fc.record({ count, agoMs: durationMs });
/** Those of a version that says nothing of health are accepted, too. */
const healthWords = fc.record(
  { health: fc.constantFrom('healthy', 'unhealthy', 'unknown'), demotions },
  { requiredKeys: [] },
);
const heartbeat = fc.tuple(
  fc.record({
    ...sender,
    kind: fc.constant('heartbeat'),
    phase: fc.constantFrom('primary', 'promoting'),
    uptimeMs: durationMs,
    succession: fc.array(name, { maxLength: 256 }),
    lastTakeover: fc.option(takeover),
    startedAt: text,
  }),
  healthWords,
  fc.record(
    {
      target: fc.constant('http://127.0.0.1:8080'),
      standing: fc.record({ priority: count, chosen: fc.boolean() }),
    },
    { requiredKeys: [] },
  ),
);
const message: fc.Arbitrary<BusMessage> = fc.oneof(
  heartbeat.map(([said, words, more]) => ({ ...said, ...words, ...more })),
  fc.record({ ...sender, kind: fc.constant('role'), role: text, reason: text }),
  fc.record({
    ...sender,
    kind: fc.constant('promoted'),
    previous: fc.option(name),
    reason: text,
    endpoints: fc.record({ bus: text, rpc: text }),
  }),
  fc.record({
    ...sender,
    kind: fc.constant('shutdown'),
    reason: text,
    successor: fc.option(name),
    completed: fc.boolean(),
    planned: fc.boolean(),
    workloadEndedAgoMs: fc.option(durationMs),
  }),
);

describe('encode and decode', () => {
  it('carry where a command is reached, and leave out what is no such place', () => {
    const reached = (target: string): unknown => {
      const sent = { ...heartbeatMessage(), target };
      const decoded = decode(encode(sent).map(toBytes), () => true);
      return 'message' in decoded && 'target' in decoded.message ? decoded.message.target : null;
    };
    expect(reached('http://127.0.0.1:3000')).toBe('http://127.0.0.1:3000');
    expect(reached('tcp://[::1]:5432')).toBe('tcp://[::1]:5432');
    for (const none of ['', 'http://h:1/path', 'exec:true', 'tcp://h', 'http://u:p@h:1']) {
      expect(reached(none)).toBeNull();
    }
  });

  it('carry every message unchanged', () => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(decode(encode(sent).map(toBytes), () => true)).toEqual({ message: sent });
      }),
    );
  });

  it('cut what is too long to be accepted instead of sending it in vain', () => {
    const decoded = decode(
      encode({
        ...heartbeatMessage(),
        succession: Array.from({ length: 300 }, (_, index) => `n${index}`),
        sentAt: 'x'.repeat(TEXT_LIMIT + 1),
      }).map(toBytes),
      () => true,
    );
    expect(decoded).toMatchObject({ message: { sentAt: 'x'.repeat(TEXT_LIMIT) } });
    expect(decoded).toHaveProperty('message.succession.length', 256);
  });

  it('give each group a prefix that no other group begins with', () => {
    expect(encode(heartbeatMessage())[0].startsWith(topicPrefix('web'))).toBe(true);
    expect(`${topicPrefix('web2')}heartbeat`.startsWith(topicPrefix('web'))).toBe(false);
  });
});

describe('decode', () => {
  it('never throws, whatever the bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 400 });
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 4 }), (frames) => {
        expect(decode(frames, () => true)).toHaveProperty('rejected');
      }),
    );
  });

  it('never throws, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.string(), (value, key) => {
        const whole = decodeBody(JSON.stringify(value));
        expect(whole).toHaveProperty('rejected');
        // One field replaced by anything: accepted or refused, and never a surprise.
        const [, body] = rawHeartbeat({ [key]: value, epoch: value });
        expect(Object.keys(decodeBody(body))).toHaveLength(1);
      }),
    );
  });

  it('accepts the fields of a later minor version and drops them', () => {
    const decoded = decodeBody(rawHeartbeat({ added: 1, ['__proto__']: { epoch: 9 } })[1]);
    expect(decoded).toHaveProperty('message');
    expect(decoded).not.toHaveProperty('message.added');
  });

  it.each([
    ['no frames', []],
    ['one frame', ['web/heartbeat']],
    ['three frames', [...rawHeartbeat(), 'more']],
    ['a topic without a kind', ['web', '{}']],
    ['a topic with two slashes', ['web/a/heartbeat', '{}']],
    ['a body that is not JSON', ['web/heartbeat', '{']],
    ['a body that is no object', ['web/heartbeat', '[]']],
    ['a body that is null', ['web/heartbeat', 'null']],
    ['an empty body', ['web/heartbeat', '']],
    ['deep nesting', ['web/heartbeat', '['.repeat(60_000)]],
  ])('refuses %s as malformed', (_, frames) => {
    expect(decode(frames.map(toBytes), knowsWeb)).toEqual({ rejected: 'malformed' });
  });

  it('refuses bytes that are not UTF-8 as malformed', () => {
    const body = Buffer.from(rawHeartbeat({ sentAt: '?' })[1]);
    body[body.indexOf('?')] = 0xff;
    expect(decode([Buffer.from('web/heartbeat'), body], knowsWeb)).toEqual({
      rejected: 'malformed',
    });
  });

  it('refuses a body above the limit before it reads it', () => {
    const [topic, body] = rawHeartbeat();
    const fits = body.padEnd(BODY_LIMIT_BYTES);
    expect(decode([topic, fits].map(toBytes), knowsWeb)).toHaveProperty('message');
    expect(decode([topic, `${fits} `].map(toBytes), knowsWeb)).toEqual({
      rejected: 'oversized',
    });
    const longTopic = `${'w'.repeat(300)}/heartbeat`;
    expect(decode([longTopic, body].map(toBytes), knowsWeb)).toEqual({ rejected: 'oversized' });
  });

  it('refuses another group, in the topic or in the body', () => {
    const [topic, body] = rawHeartbeat();
    const foreign = { rejected: 'foreign-group' };
    expect(decode(['other/heartbeat', body].map(toBytes), knowsWeb)).toEqual(foreign);
    const lying = rawHeartbeat({ group: 'other' })[1];
    expect(decode([topic, lying].map(toBytes), () => true)).toEqual(foreign);
  });

  it.each([0, 2, 1.5, -1])('refuses version %s', (v) => {
    expect(decodeBody(rawHeartbeat({ v })[1])).toEqual({ rejected: 'unknown-version' });
  });

  it.each([
    [{ v: undefined }],
    [{ v: '1' }],
    [{ group: undefined }],
    [{ node: '' }],
    [{ node: '..' }],
    [{ node: 'a b' }],
    [{ run: 'x'.repeat(129) }],
    [{ epoch: -1 }],
    [{ epoch: 1.5 }],
    [{ epoch: 2 ** 53 }],
    [{ epoch: '1' }],
    [{ seq: null }],
    [{ sentAt: 5 }],
    [{ phase: 'secondary' }],
    [{ uptimeMs: -1 }],
    [{ startedAt: undefined }],
    [{ succession: 'b' }],
    [{ succession: [1] }],
    [{ succession: Array.from({ length: 257 }, () => 'b') }],
    [{ lastTakeover: {} }],
    [{ lastTakeover: undefined }],
  ])('refuses the field %j', (fields) => {
    expect(decodeBody(rawHeartbeat(fields)[1])).toEqual({ rejected: 'bad-field' });
  });

  it('refuses a body under the topic of another kind', () => {
    const [, body] = rawHeartbeat();
    for (const kind of ['promoted', 'shutdown', 'role', 'unheard']) {
      expect(decode([`web/${kind}`, body].map(toBytes), knowsWeb)).toEqual({
        rejected: 'bad-field',
      });
    }
  });
});

function toBytes(text: string): Buffer {
  return Buffer.from(text);
}

function decodeBody(body: string): Decoded {
  return decode([Buffer.from('web/heartbeat'), Buffer.from(body)], knowsWeb);
}

function heartbeatMessage(): Extract<BusMessage, { kind: 'heartbeat' }> {
  return {
    kind: 'heartbeat',
    group: 'web',
    node: 'a',
    run: 'r',
    seq: 1,
    sentAt: '',
    epoch: 1,
    phase: 'primary',
    uptimeMs: 0,
    startedAt: '',
    succession: [],
    lastTakeover: null,
  };
}
