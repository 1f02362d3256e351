// What the middlewares of a leader are told, and what of that is refused when they are made.
import { expect, it } from 'vitest';
import type { LeaderMiddlewareOptions } from '../../src/library/leader-decision.ts';
import { leaderFetchMiddleware } from '../../src/library/leader-fetch-middleware.ts';
import { leaderMiddleware } from '../../src/library/leader-middleware.ts';
import { failureOf } from '../support/failover-error.ts';

const LEADER = { isLeader: () => false, redirectTarget: () => 'http://leader:1' };

it.each([
  ...[Infinity, NaN, -1, 0, '30s', null, 2 ** 40].map((ms) => ['proxyTimeoutMs', ms] as const),
  ...['proxied', '', null, 1].map((mode) => ['mode', mode] as const),
])('%s that is %o is refused', (name, value) => {
  // What a program without types may hand over.
  const options = { [name]: value } as LeaderMiddlewareOptions<unknown>;
  for (const make of [leaderMiddleware, leaderFetchMiddleware]) {
    const { code, message } = failureOf(() => make(LEADER, options));
    expect([code, message]).toEqual([
      'FAILOVER_BAD_OPTION',
      expect.stringContaining(`Cannot use ${name}: `),
    ]);
  }
});

it('what is undefined was left out', () => {
  const options = { mode: undefined, proxyTimeoutMs: undefined, isWrite: undefined } as object;
  expect(() => leaderMiddleware(LEADER, options)).not.toThrow();
  expect(() => leaderFetchMiddleware(LEADER, options)).not.toThrow();
});
