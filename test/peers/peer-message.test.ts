// What is said is understood as it was meant, and what is bent in one field is refused.
import { describe, expect, it } from 'vitest';
import {
  BODY_LIMIT,
  encodeAnswer,
  encodeRequest,
  readAnswer,
  readRequest,
} from '../../src/peers/peer-message.ts';
import type { PeerMessage } from '../../src/peers/peer-message.ts';

const MESSAGE: PeerMessage = {
  group: 'web',
  heartbeat: {
    ...{ node: 'a', run: 'r1', seq: 7, target: 'http://a', bid: 2, leads: true, epoch: 9 },
    ...{ supports: { run: 'r1', number: 2 }, doubles: ['b'], leaving: false, leaseMs: 3_000 },
    ...{ term: 9, about: '{}' },
  },
};

describe('a request and an answer', () => {
  const request = { ...MESSAGE, proof: 'text' };
  const answer = { ...MESSAGE, to: { run: 'r2', seq: 8 }, offers: 'text', taken: true };

  it('are read as they were written', () => {
    expect(readRequest(JSON.parse(encodeRequest(request)))).toEqual(request);
    expect(readRequest(JSON.parse(encodeRequest({ ...request, proof: null })))?.proof).toBeNull();
    expect(readAnswer(JSON.parse(encodeAnswer(answer)))).toEqual(answer);
  });

  it('fit with the longest names, addresses and lists', () => {
    const long = 'x'.repeat(64);
    const heartbeat = {
      ...MESSAGE.heartbeat,
      ...{ node: long, target: `http://${'x'.repeat(1_000)}`, epoch: Number.MAX_SAFE_INTEGER - 1 },
      doubles: Array.from({ length: 8 }, () => long),
    };
    const longest = encodeAnswer({ ...answer, group: long, heartbeat });
    expect(longest.length).toBeLessThanOrEqual(BODY_LIMIT);
  });

  it.each([
    ...['v', 'group', 'node_id', 'run', 'seq', 'target', 'bid', 'leads', 'supports', 'epoch'],
    ...['doubles', 'leaving'],
  ])('are refused without %s, and with another kind of it', (field) => {
    for (const value of [undefined, {}, -1, 'x y', [1]]) {
      const fields = { ...fieldsOf(encodeRequest(request)), [field]: value };
      // Any short text is an address, as far as a heartbeat tells.
      if (field === 'target' && value === 'x y') continue;
      expect([value, readRequest(fields)]).toEqual([value, null]);
      expect(readAnswer({ ...fieldsOf(encodeAnswer(answer)), [field]: value })).toBeNull();
    }
  });

  it.each(['to', 'offers', 'taken'])('are refused as an answer without %s', (field) => {
    expect(readAnswer({ ...fieldsOf(encodeAnswer(answer)), [field]: undefined })).toBeNull();
  });

  it.each([null, 7, 'x', [], {}])('are not %j', (value) => {
    expect([readRequest(value), readAnswer(value)]).toEqual([null, null]);
  });
});

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(text) as Record<string, unknown>; // Ours, and an object.
}
