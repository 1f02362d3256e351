// Where requests may go: the present term of the primary, and how far it is trusted. No clock, no I/O.
import type { PrimaryTerm } from './primary-source.ts';

/**
 * - `none`: nobody leads; all is held
 * - `open`: the primary serves
 * - `doubted`: it is silent; what is new is held, what is under way goes on
 * - `closing`: it is about to step down; as `doubted`, and who asked is told when nothing is under way any more
 */
export type RoutePhase = 'none' | 'open' | 'doubted' | 'closing';

export interface Route {
  readonly phase: RoutePhase;
  /** Null exactly in the phase `none`. */
  readonly term: PrimaryTerm | null;
  /** The highest epoch that was ever ready: an older one has no authority. */
  readonly epoch: number | null;
}

export type RouteEvent =
  | { readonly kind: 'ready'; readonly term: PrimaryTerm }
  | { readonly kind: 'doubted' }
  | { readonly kind: 'closing' }
  | { readonly kind: 'lost'; readonly epoch: number | null };

/**
 * What follows, to be done in this order:
 *
 * - `cut`: what is under way to the term before has no answer to expect
 * - `open`: let go what is held, to a term that is new
 * - `resume`: let go what is held, to the same term as before
 * - `drain`: what has no end of its own ends now, and it is told when nothing is under way
 */
export type RouteEffect = 'cut' | 'open' | 'resume' | 'drain';

export interface Routed {
  readonly route: Route;
  readonly effects: readonly RouteEffect[];
}

export const NO_ROUTE: Route = { phase: 'none', term: null, epoch: null };

export function routed(route: Route, event: RouteEvent): Routed {
  switch (event.kind) {
    case 'ready':
      return whenReady(route, event.term);
    case 'doubted':
      return route.phase === 'open'
        ? { route: { ...route, phase: 'doubted' }, effects: [] }
        : same(route);
    case 'closing':
      // Also where nobody leads: whoever asks is not to wait for a drain of nothing.
      return {
        route: route.term === null ? route : { ...route, phase: 'closing' },
        effects: ['drain'],
      };
    case 'lost':
      if (route.term === null || isOlder(event.epoch, route.term.epoch)) return same(route);
      return { route: { ...route, phase: 'none', term: null }, effects: ['cut'] };
  }
}

function whenReady(route: Route, term: PrimaryTerm): Routed {
  // Word of an earlier term can be late, after that of the next.
  if (isOlder(term.epoch, route.epoch)) return same(route);
  const next: Route = { phase: 'open', term, epoch: term.epoch ?? route.epoch };
  if (route.term === null) return { route: next, effects: ['open'] };
  if (!isSame(route.term, term)) return { route: next, effects: ['cut', 'open'] };
  return route.phase === 'open'
    ? same(route)
    : { route: { ...route, phase: 'open' }, effects: ['resume'] };
}

function isSame(one: PrimaryTerm, other: PrimaryTerm): boolean {
  return one.node === other.node && one.epoch === other.epoch && one.target === other.target;
}

function isOlder(epoch: number | null, present: number | null): boolean {
  return epoch !== null && present !== null && epoch < present;
}

function same(route: Route): Routed {
  return { route, effects: [] };
}
