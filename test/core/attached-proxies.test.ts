// The proxies that a primary remembers, and for how long it waits for them.
import { describe, expect, it } from 'vitest';
import {
  drainLimitMs,
  recentProxies,
  withoutProxy,
  withProxy,
} from '../../src/core/attached-proxies.ts';
import { PROXY_DRAIN_MS, PROXY_FORGOTTEN_MS, PROXY_LIMIT } from '../../src/core/settings.ts';
import type { KnownProxy } from '../../src/core/state-parts.ts';

describe('a primary', () => {
  it('remembers each proxy once, with the last time that it was heard', () => {
    const twice = withProxy(withProxy([], 'p', 1), 'p', 2);
    expect(twice).toEqual([{ proxy: 'p', heardAt: 2 }]);
  });

  it(`keeps no more than ${String(PROXY_LIMIT)} proxies, and those it has`, () => {
    let proxies: readonly KnownProxy[] = [];
    for (let index = 0; index <= PROXY_LIMIT; index += 1) {
      proxies = withProxy(proxies, `p${String(index)}`, index);
    }
    expect(proxies).toHaveLength(PROXY_LIMIT);
    expect(withProxy(proxies, 'p0', 99)).toContainEqual({ proxy: 'p0', heardAt: 99 });
    expect(withProxy(withoutProxy(proxies, 'p0'), 'q', 1)).toHaveLength(PROXY_LIMIT);
  });

  it('forgets those that were not heard for too long, and only those', () => {
    const proxies = withProxy(withProxy([], 'p', 0), 'q', 1);
    expect(recentProxies(proxies, PROXY_FORGOTTEN_MS)).toEqual([{ proxy: 'q', heardAt: 1 }]);
    expect(recentProxies(proxies, 2)).toBe(proxies);
  });

  it('waits for them as long as --drain says where that is longer', () => {
    expect(drainLimitMs({ drainMs: 0 })).toBe(PROXY_DRAIN_MS);
    expect(drainLimitMs({ drainMs: 60_000 })).toBe(60_000);
  });
});
