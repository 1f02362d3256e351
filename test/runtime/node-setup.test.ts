// What a node tells of its settings: the times and modes, and no command line.
import { expect, it } from 'vitest';
import { loadRunOptions } from '../../src/config/load.ts';
import { setupOf } from '../../src/runtime/node-setup.ts';

const options = loadRunOptions({
  flags: { demoteCommand: 'secret', stopGrace: '3s', fence: 'none' },
  env: {},
  command: ['server', '--password', 'secret'],
});

it('tells times and modes, and which hooks there are', () => {
  expect(setupOf(options, true)).toMatchObject({
    ownsProcess: true,
    hasWorkload: true,
    hasPromoteCommand: false,
    hasDemoteCommand: true,
    hasReadyCheck: false,
    stopGraceMs: 3000,
    fence: 'none',
    orphan: 'stop',
  });
});

it('tells no command line', () => {
  expect(JSON.stringify(setupOf(options, false))).not.toContain('secret');
});
