// Which pid is the newest: told by the kernel itself, or by nobody.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readNewestPid, sourceIn } from '../../src/fence/newest-pid.ts';
import { lackOfProgram } from '../support/programs.ts';

it('is at least that of a process that was just started', () => {
  const isNewer = (): boolean => {
    const { pid } = spawnSync('true');
    const newest = readNewestPid();
    expect(newest).not.toBeNull();
    // Unless the numbers have gone round just now.
    return newest === null || newest >= pid || newest < 1_000;
  };
  // Another test may have set the numbers back just now.
  expect(Array.from({ length: 5 }).some(isNewer)).toBe(true);
});

it('is asked of the first file that is of the same file system as what the kernel tells of processes', () => {
  const proc = mkdtempSync(join(tmpdir(), 'fo-proc-'));
  onTestFinished(() => {
    rmSync(proc, { recursive: true });
  });
  const [load, last] = [join(proc, 'loadavg'), join(proc, 'sys', 'kernel', 'ns_last_pid')];
  expect(sourceIn(proc)).toBe('none');
  mkdirSync(join(proc, 'self'));
  mkdirSync(join(proc, 'sys', 'kernel'), { recursive: true });
  for (const path of [join(proc, 'self', 'stat'), load, last]) writeFileSync(path, '');
  expect(sourceIn(proc)).toBe(load);
  rmSync(load);
  expect(sourceIn(proc)).toBe(last);
  // As a container has it whose file is told by the machine around it.
  symlinkSync('/proc/loadavg', load);
  expect(sourceIn(proc)).toBe(last);
  rmSync(last);
  symlinkSync('/proc/sys/kernel/ns_last_pid', last);
  expect(sourceIn(proc)).toBe('none');
});

it.for(['/proc/loadavg', '/proc/loadavg /proc/sys/kernel/ns_last_pid'])(
  'where another file lies over %s, as in a container, what came since the last look is seen all the same',
  (paths, { skip }) => {
    const lack = lackOfProgram('unshare');
    if (lack !== null) skip(lack);
    if (spawnSync('unshare', ['-m', 'true']).status !== 0) skip('it may not mount anything');
    if (!paths.split(' ').every((path) => existsSync(path))) skip('the kernel does not have it');
    const directory = mkdtempSync(join(tmpdir(), 'fo-proc-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    const told = join(directory, 'loadavg');
    writeFileSync(told, '0.10 0.10 0.10 1/100 999\n');
    const mounts = paths.split(' ').map((path) => `mount --bind ${told} ${path}`);
    const script = [...mounts, 'exec "$0" "$@"'].join(' && ');
    const node = [process.execPath, '--import', './test/support/typescript.js'];
    const program = ['--input-type=module', '-e', LEFT_BEHIND];
    const seen = spawnSync('unshare', ['-m', 'sh', '-c', script, ...node, ...program], {
      encoding: 'utf8',
    });
    expect([seen.stderr, seen.stdout]).toEqual(['', '1\n']);
  },
);

/** Many look together; then a process leaves one behind, and tells how many of its session are seen. */
const LEFT_BEHIND = `
import { spawn } from 'node:child_process';
import { listSessionMembers } from './src/fence/session-members.ts';
import { shareLooks } from './src/fence/shared-look.ts';
shareLooks();
listSessionMembers(new Set([1]));
const leader = spawn('sh', ['-c', 'sleep 100 & :'], { detached: true, stdio: 'ignore' });
await new Promise((resolve) => leader.once('exit', resolve));
console.log(listSessionMembers(new Set([leader.pid])).get(leader.pid)?.length);
process.kill(-leader.pid, 'SIGKILL');
`;
