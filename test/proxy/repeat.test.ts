// What may be sent again: each method, with and without a key, before and after anything was sent.
import { describe, expect, it } from 'vitest';
import { REPEAT_LIMIT, afterFailure } from '../../src/proxy/repeat.ts';
import type { FailedAttempt } from '../../src/proxy/repeat.ts';

const BASE: FailedAttempt = {
  method: 'GET',
  hasKey: false,
  wasSent: true,
  bodyIsWhole: true,
  answerHasBegun: false,
  repeats: 0,
};
const after = (change: Partial<FailedAttempt>): string => afterFailure({ ...BASE, ...change });

describe('after a failure', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('a %s is repeated', (method) => {
    expect(after({ method })).toBe('repeat');
  });

  it.each(['POST', 'PATCH', 'LOCK', 'get'])('a %s is not', (method) => {
    expect(after({ method })).toBe('unsafe');
  });

  it('a POST with a key is repeated', () => {
    expect(after({ method: 'POST', hasKey: true })).toBe('repeat');
  });

  it('a POST of which nothing was sent is repeated', () => {
    expect(after({ method: 'POST', wasSent: false })).toBe('repeat');
  });

  it('nothing is repeated without its body', () => {
    expect(after({ bodyIsWhole: false })).toBe('unsafe');
    expect(after({ bodyIsWhole: false, wasSent: false })).toBe('unsafe');
  });

  it('nothing is repeated once the client has a part of the answer', () => {
    expect(after({ answerHasBegun: true })).toBe('cut');
    expect(after({ answerHasBegun: true, method: 'POST' })).toBe('cut');
  });

  it('one that was sent is not repeated for ever', () => {
    expect(after({ repeats: REPEAT_LIMIT - 1 })).toBe('repeat');
    expect(after({ repeats: REPEAT_LIMIT })).toBe('unsafe');
    expect(after({ repeats: REPEAT_LIMIT, wasSent: false })).toBe('repeat');
  });
});
