// Where /proc hides the processes of other users, a session of theirs is no empty one.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { ownIdentity, readStat } from '../../src/fence/process-identity.ts';
import { until } from '../support/until.ts';

const NOBODY = '65534';

/** Neither in the group that sees all, nor with the rights to look into, or signal, what is another user's. */
const AS_A_USER = [
  ...['setpriv', '--regid', NOBODY, '--clear-groups'],
  ...['--bounding-set', '-sys_ptrace,-kill'],
];

function hiding(how: string): [string, ...string[]] {
  const script = `mount -t proc -o hidepid=${how} proc /proc && exec "$@"`;
  return ['unshare', '-m', 'sh', '-c', script, 'sh', ...AS_A_USER];
}

function canHide(): boolean {
  const [program, ...words] = hiding('2');
  return spawnSync(program, [...words, 'true']).status === 0;
}

/** What a session is found to be by a process that does not see it. */
function seenFrom(
  how: string,
  leader: { readonly pid: number; readonly startTime: string },
): unknown {
  const source = pathToFileURL(join(import.meta.dirname, '..', '..', 'src', 'fence')).href;
  const hook = pathToFileURL(join(import.meta.dirname, '..', 'support', 'typescript.js')).href;
  const script = `
    import { compareSession, scanSessions } from '${source}/session-members.ts';
    const leader = ${JSON.stringify({ ...ownIdentity(), pid: leader.pid, startTime: leader.startTime })};
    const members = scanSessions(new Set([leader.pid])).get(leader.pid);
    const found = members === undefined ? 'empty' : compareSession(leader, members);
    console.log(JSON.stringify(found));`;
  const node = [process.execPath, '--import', hook, '--input-type=module', '-e', script];
  const [program, ...words] = hiding(how);
  const { stdout, stderr } = spawnSync(program, [...words, ...node], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

async function startAsNobody(): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn('setpriv', ['--reuid', NOBODY, 'sleep', '1000'], { detached: true });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('not started');
  await until('it is the command', () => readStat(pid)?.name === 'sleep');
  return Object.assign(child, { pid });
}

beforeEach((context) => {
  if (!canHide()) context.skip('this user may not mount /proc (needs root)');
});

it.each(['1', '2'])('hidepid=%s: it is empty only once it has ended', async (how) => {
  const child = await startAsNobody();
  const leader = { pid: child.pid, startTime: readStat(child.pid)?.startTime ?? '' };
  expect(seenFrom(how, leader)).toBe('unproved');
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  expect(seenFrom(how, leader)).toBe('empty');
});
