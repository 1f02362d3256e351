// A removed state directory is told of, and not for ever.
import { expect, it } from 'vitest';
import { removalWarning } from '../../src/runtime/node-status.ts';

const MINUTE_MS = 60_000;

it('tells of a removed directory for ten minutes', () => {
  expect(removalWarning(null, 0)).toBeNull();
  expect(removalWarning({ path: '/state/web', atMs: 5 }, 5)).toBe(
    '/state/web was removed while this node ran, and was made anew: ' +
      'exclude it from whatever deletes files here',
  );
  expect(removalWarning({ path: '/state/web', atMs: 5 }, 5 + 10 * MINUTE_MS)).toContain(
    '/state/web',
  );
  expect(removalWarning({ path: '/state/web', atMs: 5 }, 6 + 10 * MINUTE_MS)).toBeNull();
});
