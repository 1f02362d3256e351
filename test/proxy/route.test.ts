// Where requests may go, by what is heard of the primary in every order.
import { describe, expect, it } from 'vitest';
import { NO_ROUTE, routed } from '../../src/proxy/route.ts';
import type { Route, RouteEffect, RouteEvent } from '../../src/proxy/route.ts';
import { termOf } from './support/visitor.ts';

const ready = (node: string, epoch: number): RouteEvent => ({
  kind: 'ready',
  term: termOf(node, epoch),
});
const doubted: RouteEvent = { kind: 'doubted' };
const closing: RouteEvent = { kind: 'closing' };
const lost = (epoch: number | null = null): RouteEvent => ({ kind: 'lost', epoch });

/** The phase and node after all of them, and the effects of the last. */
function after(...events: readonly RouteEvent[]): string {
  let route: Route = NO_ROUTE;
  let last: readonly RouteEffect[] = [];
  for (const event of events) ({ route, effects: last } = routed(route, event));
  return [route.phase, route.term?.node ?? '-', ...last].join(' ');
}

describe('a route', () => {
  it.each<[name: string, events: readonly RouteEvent[], expected: string]>([
    ['opens with the first primary', [ready('a', 1)], 'open a open'],
    ['is none before', [doubted], 'none -'],
    ['stays open when it is said again', [ready('a', 1), ready('a', 1)], 'open a'],
    ['holds what is new while it is doubted', [ready('a', 1), doubted], 'doubted a'],
    ['resumes after a doubt', [ready('a', 1), doubted, ready('a', 1)], 'open a resume'],
    ['is cut when the primary is lost', [ready('a', 1), lost()], 'none - cut'],
    ['is cut when a doubted one is lost', [ready('a', 1), doubted, lost(1)], 'none - cut'],
    ['drains before the primary ends', [ready('a', 1), closing], 'closing a drain'],
    ['says at once that nothing is to be drained', [closing], 'none - drain'],
    [
      'resumes when the end is called off',
      [ready('a', 1), closing, ready('a', 1)],
      'open a resume',
    ],
    ['stays closing when it is doubted', [ready('a', 1), closing, doubted], 'closing a'],
    ['opens to the next', [ready('a', 1), lost(), ready('b', 2)], 'open b open'],
    [
      'is cut first where the next comes without a loss',
      [ready('a', 1), ready('b', 2)],
      'open b cut open',
    ],
    ['opens to the same node at a later epoch', [ready('a', 1), ready('a', 2)], 'open a cut open'],
    [
      'does not mind the loss of an earlier term',
      [ready('a', 1), ready('b', 2), lost(1)],
      'open b',
    ],
    ['does not go back to an earlier term', [ready('b', 2), ready('a', 1)], 'open b'],
    ['nor when nobody leads', [ready('b', 2), lost(), ready('a', 1)], 'none -'],
    ['can open again at the same epoch', [ready('a', 1), lost(), ready('a', 1)], 'open a open'],
    ['loses nothing twice', [ready('a', 1), lost(), lost()], 'none -'],
  ])('%s', (_, events, expected) => {
    expect(after(...events)).toBe(expected);
  });

  it('goes by the target alone where there are no epochs', () => {
    const to = (target: string): RouteEvent => ({
      kind: 'ready',
      term: { node: null, epoch: null, target },
    });
    expect(after(to('http://a:1'), to('http://a:1'))).toBe('open -');
    expect(after(to('http://a:1'), to('http://b:1'))).toBe('open - cut open');
  });
});
