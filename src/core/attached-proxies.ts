// The proxies that forward to a primary: before a planned end it waits until nothing is under way through them.
import type { Effect } from './effect.ts';
import type { PrimaryState } from './state.ts';
import type { Demotion, KnownProxy } from './state-parts.ts';
import type { Settings } from './settings.ts';
import { PROXY_DRAIN_MS, PROXY_FORGOTTEN_MS, PROXY_LIMIT } from './settings.ts';

/** The list with a proxy that says that it forwards to this primary; one beyond the limit is not waited for. */
export function withProxy(
  proxies: readonly KnownProxy[],
  proxy: string,
  at: number,
): readonly KnownProxy[] {
  const others = withoutProxy(proxies, proxy);
  return others.length >= PROXY_LIMIT ? others : [...others, { proxy, heardAt: at }];
}

/** The list without a proxy through which nothing is under way any more. */
export function withoutProxy(proxies: readonly KnownProxy[], proxy: string): readonly KnownProxy[] {
  return proxies.filter((known) => known.proxy !== proxy);
}

/** The list without the proxies that have not been heard for so long that they must have ended. */
export function recentProxies(proxies: readonly KnownProxy[], at: number): readonly KnownProxy[] {
  return proxies.every((known) => isRecent(known, at))
    ? proxies
    : proxies.filter((known) => isRecent(known, at));
}

/** The longest that a drain lasts, ms: --drain, or what proxies are given where that is longer. */
export function drainLimitMs({ drainMs }: Pick<Settings, 'drainMs'>): number {
  return Math.max(drainMs, PROXY_DRAIN_MS);
}

/** When a drain that began at `drainFrom` is over, by what is known of the proxies now. */
export function drainedAt(
  { at, proxies }: PrimaryState,
  { drainFrom, drainUntil }: Pick<Demotion, 'drainFrom' | 'drainUntil'>,
  settings: Settings,
): number {
  const recent = recentProxies(proxies, at);
  if (recent.length === 0) return drainUntil;
  const heardAt = Math.max(...recent.map((known) => known.heardAt));
  const latest = Math.min(drainFrom + drainLimitMs(settings), heardAt + PROXY_FORGOTTEN_MS);
  return Math.max(drainUntil, latest);
}

/** Tells those that forward to this primary to send it nothing new. */
export function closingNotice(epoch: number, reason: string): Effect {
  return { type: 'publish', announcement: { kind: 'role', epoch, role: CLOSING, reason } };
}

/** The role that a primary announces while it drains. */
const CLOSING = 'closing';

function isRecent({ heardAt }: KnownProxy, at: number): boolean {
  return at - heardAt < PROXY_FORGOTTEN_MS;
}
