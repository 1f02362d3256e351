// Groups for the paths of HTTP, made up: what is asked of them is noted, and events are told by hand.
import { groupStatusOf } from '../../../src/cli/group-status.ts';
import { EventFeed } from '../../../src/http/event-feed.ts';
import type {
  ChangeOrder,
  ChangeOutcome,
  FeedEvent,
  GroupsSource,
} from '../../../src/http/groups-source.ts';
import { healthyGroup } from '../../cli/support/snapshot.ts';

export interface FakeGroups extends GroupsSource {
  readonly orders: (ChangeOrder & { readonly group: string })[];
  readonly feed: EventFeed;
}

interface FakeParts {
  readonly names?: readonly string[];
  readonly only?: string | null;
  readonly change?: (order: ChangeOrder) => Promise<ChangeOutcome>;
}

export function fakeGroups({ names = ['g'], only = 'g', change }: FakeParts = {}): FakeGroups {
  const orders: FakeGroups['orders'] = [];
  const feed = new EventFeed();
  return {
    ...{ orders, feed, only },
    list: () => names,
    status: (group) => Promise.resolve(groupStatusOf({ ...healthyGroup(), group })),
    change: (group, order) => {
      orders.push({ ...order, group });
      return change?.(order) ?? Promise.resolve({ said: [`${order.change} is done.`], notes: [] });
    },
    follow: ({ after }, listener) => {
      if (after !== null) for (const one of feed.after(after)) listener(one);
      listener({
        id: feed.latestId,
        event: { name: 'groups', group: null, data: { groups: names } },
      });
      return Promise.resolve(feed.listen(listener));
    },
  };
}

/** A transition of node a. */
export function transitionTo(to: string, reason = 'because'): FeedEvent {
  const about = { group: 'g', node: 'a', run: 'r', time: '2026-03-01T12:00:00.000Z', from: 'x' };
  const more = { role: 'primary', epoch: 1, reason, takeover: null, source: 'node' } as const;
  return { name: 'transition', group: 'g', data: { ...about, to, ...more } };
}
