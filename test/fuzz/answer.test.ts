// Answers of nodes bent in every way: a client gets a result or an error, and shows a status that it can print.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SeenNode } from '../../src/cli/client.ts';
import { groupStatusOf } from '../../src/cli/group-status.ts';
import { readNodeStatus } from '../../src/cli/node-answer.ts';
import { PLAIN } from '../../src/cli/render/plain.ts';
import { statusLine, statusLines } from '../../src/cli/render/status-text.ts';
import { encodeError, encodeResult, parseResponse } from '../../src/transport/rpc-message.ts';
import { answering, primaryStatus, record, snapshotOf, statusOf } from '../cli/support/snapshot.ts';
import {
  UNPRINTABLE,
  corpus,
  draws,
  expectPrototypesClean,
  expectReadable,
  expectSeen,
} from './support/fuzz.ts';
import { anyBytes, bentBytes, bentJson, bentPart, oddText } from './support/odd.ts';

const PRIMARY = primaryStatus('a');

/** The status of a primary with one of its parts bent. */
const bentStatus: fc.Arbitrary<string> = fc.oneof(
  bentJson(PRIMARY),
  ...(['workload', 'lease', 'takeover', 'transport', 'lastTakeover'] as const).map((key) =>
    bentPart(PRIMARY, key, bentJson(PRIMARY[key] ?? {})),
  ),
);

describe('an answer', () => {
  it.each(corpus('answer'))('$name', ({ name, bytes }) => {
    expect(judge(bytes)).toBe(name.split('~')[0]);
  });

  it('is a result, an error that can be read, or nothing', () => {
    const seen = new Set<string>();
    const error = { code: -31001, message: 'no', data: { code: 'FAILOVER_USAGE', hint: 'h' } };
    const text = fc.oneof(
      bentJson({ jsonrpc: '2.0', id: '1', result: { detail: 'done' } }),
      bentJson({ jsonrpc: '2.0', id: '1', error }),
      bentJson(error).map((bent) => `{"jsonrpc":"2.0","id":"1","error":${bent}}`),
    );
    const sent = fc.oneof({ weight: 8, arbitrary: bentBytes(text) }, anyBytes);
    fc.assert(
      fc.property(sent, (bytes) => {
        seen.add(judge(bytes));
      }),
      draws(1000),
    );
    expectPrototypesClean();
    expectSeen(seen, ['error', 'refused', 'result']);
  });

  it('that a node gives is the one that a client gets', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (result) => {
        const response = parseResponse(Buffer.from(encodeResult('7', result)));
        const same = JSON.parse(JSON.stringify(result)) as unknown;
        expect(response).toEqual({ type: 'result', id: '7', result: same });
      }),
      draws(150),
    );
    const error = { code: -31_026, message: 'Cannot' };
    expect(parseResponse(Buffer.from(encodeError('7', error)))).toMatchObject({
      type: 'error',
      error: { code: 'FAILOVER_REFUSED', message: 'Cannot' },
    });
  });
});

describe('the status that a node answers', () => {
  it.each(corpus('status'))('$name', ({ name, text }) => {
    const { change } = JSON.parse(text) as { change: object };
    const status = { ...(JSON.parse(JSON.stringify(PRIMARY)) as object), ...change };
    expect(show(status)).toBe(name.split('~')[0]);
  });

  it('is shown, or counts as one of another version: whatever is in it', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(bentStatus, (text) => {
        seen.add(show(parsed(text)));
      }),
      draws(1000),
    );
    expectPrototypesClean();
    expectSeen(seen, ['refused', 'shown']);
  });

  it('is shown also where the node does not answer and its record is odd', () => {
    const silent = fc.record({ host: oddText, version: oddText, startedAt: oddText });
    fc.assert(
      fc.property(silent, (change) => {
        const odd = { ...answering(statusOf('b'), change), status: null, silence: change.host };
        print({ ...odd, presence: 'unresponsive' });
        print({ ...odd, presence: 'gone', leftovers: [7] });
        print({ ...odd, presence: 'unknown' });
      }),
      draws(150),
    );
  });
});

function judge(bytes: Buffer): string {
  const response = parseResponse(bytes);
  if (response.type === 'error') {
    expectReadable(response.error);
    expect(response.error.exitCode).toBeGreaterThan(0);
    expect(response.error.exitCode).toBeLessThan(256);
  }
  return response.type;
}

function show(answer: unknown): string {
  const status = readNodeStatus(answer);
  if (status === null) return 'refused';
  print({ ...answering(primaryStatus('a')), record: record('a'), status });
  return 'shown';
}

/** Text and JSON of a group with this node in it: no odd value may end the command or steer the terminal. */
function print(odd: SeenNode): void {
  const snapshot = snapshotOf('a', [odd, answering(statusOf('c'))]);
  const seen = groupStatusOf(snapshot);
  const text = [...statusLines(seen, PLAIN), statusLine(seen)].join('\n');
  expect(text).not.toMatch(UNPRINTABLE);
  expect(text).not.toMatch(/NaNd|NaN ms|Infinityd|undefined|\[object|function/);
  // JSON without holes: what is no number is null where it may be, and nowhere else.
  const json = JSON.parse(JSON.stringify(seen)) as typeof seen;
  for (const node of json.nodes) {
    expect(typeof node.uptimeMs).toBe('number');
    expect(typeof node.state).toBe('string');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
