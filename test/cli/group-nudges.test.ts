// Of many groups that are followed the one in which something happens here is looked at before its turn.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GroupWatch } from '../../src/cli/group-watch.ts';
import { healthyGroup } from './support/snapshot.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('looks at one group of many alone after something happened in it, with a pause between', async () => {
  const looked: string[] = [];
  const watch = new GroupWatch({
    ...{ client: () => ({ stateDir: '/state' }), only: null, list: () => ['a', 'b', 'c'] },
    ask: () => Promise.resolve({ events: [] }),
    look: ({ group }) => {
      looked.push(group);
      return new Promise((resolve) => setTimeout(resolve, 100, { ...healthyGroup(), group }));
    },
  });
  watch.nudgeOne('a');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(looked).toEqual([]);
  const following = watch.follow({ after: null, group: null }, () => undefined);
  await vi.advanceTimersByTimeAsync(110);
  await following;
  expect(looked.splice(0)).toEqual(['a', 'b', 'c']);
  for (const group of ['b', 'b', 'gone']) watch.nudgeOne(group);
  await vi.advanceTimersByTimeAsync(60);
  expect(looked.splice(0)).toEqual(['b']);
  // It took 100 ms: three times as long passes before the next.
  watch.nudgeOne('c');
  await vi.advanceTimersByTimeAsync(200);
  expect(looked.splice(0)).toEqual([]);
  await vi.advanceTimersByTimeAsync(220);
  expect(looked).toContain('c');
  watch.close();
  expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
});
