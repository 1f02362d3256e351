// What a node tells of beside what its core knows: a removed state directory, nodes that it can't see.
import { expect, it } from 'vitest';
import { namespaceWarning, removalWarning } from '../../src/runtime/node-status.ts';

const MINUTE_MS = 60_000;

it('tells of a removed directory for ten minutes', () => {
  expect(removalWarning(null, 0)).toBeNull();
  expect(removalWarning({ path: '/state/web', atMs: 5 }, 5)).toBe(
    '/state/web was removed while this node was running and has been recreated: exclude it from whatever deletes files here',
  );
  expect(removalWarning({ path: '/state/web', atMs: 5 }, 5 + 10 * MINUTE_MS)).toContain(
    '/state/web',
  );
  expect(removalWarning({ path: '/state/web', atMs: 5 }, 6 + 10 * MINUTE_MS)).toBeNull();
});

it('tells of nodes in another pid namespace, what they mean, and what to do', () => {
  expect(namespaceWarning([])).toBeNull();
  expect(namespaceWarning(['a'])).toMatch(/^node a of this group is in another pid namespace/);
  const many = namespaceWarning(['a', 'b', 'c', 'd', 'e', 'f']);
  expect(many).toMatch(/^nodes a, b, c, d, e of this group are in another pid namespace/);
  expect(many).toMatch(/FAILOVER_LOCK_FD may run twice.*Run all nodes of a group in one/);
});
