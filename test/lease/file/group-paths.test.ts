import { expect, it } from 'vitest';
import { groupPaths, roleFilePath } from '../../../src/lease/file/group-paths.ts';

it('each run has a role file of its own: an orphan reads no role of the run after it', () => {
  const paths = groupPaths('/state/web');
  const files = ['run1', 'run2'].map((run) => roleFilePath(paths, run));
  expect(new Set(files).size).toBe(2);
});
