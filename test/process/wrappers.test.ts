// Programs that stand between a node and the server: npm and sudo close what the server should inherit.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lackOf } from '../support/lack.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { openFilesOf } from '../support/process-list.ts';

/** The scripts of a package.json in which the witness is the server that must not run twice. */
const NPM_SCRIPTS = {
  'npm start': '"$W"',
  'npm start, with a server that ignores SIGTERM': '"$W" --ignore-term',
  'npm start, with a server in the background': '"$W" --ignore-term & wait',
  'npm start, with a server of Node.js': `node -e "require('child_process').spawn(process.env.W)"`,
} as const;

describe.each(Object.entries(NPM_SCRIPTS))('-- %s', (_name, start) => {
  const options = { run: ['npm', 'start', '--silent'] };

  it('is emptied after its supervisor was killed, before the next starts', () =>
    inGroup(async (group) => {
      writePackage(group, start);
      await survivesTheSupervisor(group, options);
    }));

  it('is emptied when its node ends in order', () =>
    inGroup(async (group) => {
      writePackage(group, start);
      await endsInOrder(group, options);
    }));
});

const mayDoAll = spawnSync('sudo', ['-n', '-E', 'true']).status === 0;
const lack = lackOf('sudo', mayDoAll, 'sudo is not installed, or asks for a password');
if (lack !== null) process.stderr.write(`The tests of commands behind sudo are ${lack}.\n`);

describe.runIf(lack === null).each(['"$W"', '"$W" --ignore-term', 'sh -c \'"$W" & wait\''])(
  '-- sudo %s',
  (server) => {
    const options = { run: `exec sudo -n -E ${server}` };

    it('is emptied after its supervisor was killed, before the next starts', () =>
      inGroup((group) => survivesTheSupervisor(group, options)));

    it('is emptied when its node ends in order', () =>
      inGroup((group) => endsInOrder(group, options)));
  },
);

interface Wrapper {
  readonly run: string | readonly string[];
}

function writePackage(group: Group, start: string): void {
  const content = { name: 'served', version: '1.0.0', private: true, scripts: { start } };
  writeFileSync(group.path('package.json'), JSON.stringify(content));
}

async function survivesTheSupervisor(group: Group, wrapper: Wrapper): Promise<void> {
  const [a, b] = await group.startAll(['a', 'b'], wrapper);
  const first = await group.active(1);
  // Else this would be no test of more than the lock.
  expect(openFilesOf(first.pid)).not.toContain(join(group.groupDir, 'workload.lock'));
  a.kill('SIGKILL');
  const second = await group.active(2);
  expect(group.lives(first.pid)).toBe(false);
  expect(second.epoch).toBe(first.epoch + 1);
  await group.reaches(b, 'serving');
}

async function endsInOrder(group: Group, wrapper: Wrapper): Promise<void> {
  const [a, b] = await group.startAll(['a', 'b'], wrapper);
  const first = await group.active(1);
  a.kill('SIGTERM');
  expect(await group.ends(a)).toBe(0);
  expect(group.lives(first.pid)).toBe(false);
  await group.active(2);
  await group.reaches(b, 'serving');
}
