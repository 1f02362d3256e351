// Requests bent in every way: each is one that a group can be handed, or is refused with an error.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TEXT_LIMIT, isName, readStandby } from '../../src/transport/checks.ts';
import { encodeError, parseRequest } from '../../src/transport/rpc-message.ts';
import { corpus, draws, expectPrototypesClean, expectSeen } from './support/fuzz.ts';
import { anyBytes, bentBytes, bentJson } from './support/odd.ts';

const PARAMS = {
  group: 'web',
  force: true,
  node: 'a',
  successor: 'b',
  holdMs: 5,
  answerEarly: false,
  by: 'me',
  reason: 'because',
  expiresAtMs: 1e6,
};
const STANDBY = {
  node: 'b',
  run: 'r2',
  willing: true,
  priority: 100,
  standby: 'cold',
  version: '1.2.3',
  standingByMs: 4,
};

const request: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('instance.ping', 'instance.demote', 'instance.stop', 'instance.pause'),
    bentJson(PARAMS),
  )
  .chain(([method, params]) =>
    fc.oneof(
      bentJson({ jsonrpc: '2.0', id: '1', method, params: PARAMS }),
      fc.constant(`{"jsonrpc":"2.0","id":"1","method":"${method}","params":${params}}`),
    ),
  );

describe('a request', () => {
  it.each(corpus('request'))('$name', ({ name, bytes }) => {
    expect(judge(bytes)).toBe(name.split('~')[0]);
  });

  it('is one that can be handed on, or is refused with an answer that fits', () => {
    const seen = new Set<string>();
    const sent = fc.oneof({ weight: 8, arbitrary: bentBytes(request) }, anyBytes);
    fc.assert(
      fc.property(sent, (bytes) => {
        seen.add(judge(bytes));
      }),
      draws(1500),
    );
    expectPrototypesClean();
    const all = ['accepted', 'bad-params', 'invalid', 'malformed', 'unknown-method'];
    expectSeen(seen, all);
  });

  it('with a standby: what is read of it is a standby and nothing else', () => {
    fc.assert(
      fc.property(bentJson(STANDBY), (text) => {
        const standby = readStandby(parsed(text));
        if (standby === undefined) return;
        expect(Object.keys(standby).sort()).toEqual(Object.keys(STANDBY).sort());
        expect(readStandby(parsed(JSON.stringify(standby)))).toBeDefined();
      }),
      draws(500),
    );
    expectPrototypesClean();
  });
});

/** What becomes of a request; fails where what is handed on is not what handlers rely on. */
function judge(bytes: Buffer): string {
  const request = parseRequest(bytes);
  if (request.type === 'refused') {
    const answer = encodeError(request.id, request.error);
    // What is quoted of a request is cut.
    expect(answer.length).toBeLessThan(2 * TEXT_LIMIT);
    return request.cause;
  }
  const { id, params } = request.request;
  expect(id.length).toBeLessThanOrEqual(64);
  expect(isName(params.group)).toBe(true);
  for (const key of ['by', 'reason']) {
    const value = params[key] ?? '';
    expect(typeof value === 'string' && value.length <= TEXT_LIMIT, key).toBe(true);
  }
  for (const key of ['holdMs', 'expiresAtMs']) {
    expect(Number.isFinite(params[key] ?? 0), key).toBe(true);
  }
  return 'accepted';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
