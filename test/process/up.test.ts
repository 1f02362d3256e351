// Real processes of several groups: another takes over all of them, and a new file changes what it says and no more.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { sharedState } from '../../src/config/timed-file.ts';
import { readStat } from '../../src/fence/process-identity.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { LAUNCHER } from '../support/process-node.ts';
import type { LogLine } from '../support/process-node.ts';
import { freePort } from '../support/free-port.ts';
import { textOf } from '../support/text-of.ts';
import { until } from '../support/until.ts';
import { lives } from '../support/workload.ts';

interface Line extends LogLine {
  readonly group?: string;
}

/** One `failover up`, and what it has said. */
class Up {
  readonly log: Line[] = [];
  stdout = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  #rest = '';

  constructor(args: readonly string[] = []) {
    const words = [LAUNCHER, 'up', '-f', file, '--log-format', 'json', ...args];
    this.child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    started.push(this.child);
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => {
      const lines = (this.#rest + chunk.toString()).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.log.push(JSON.parse(line) as Line);
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', resolve);
    });
  }

  /** How often a group has come to a phase. */
  count(group: string, phase: string): number {
    return this.log.filter((line) => line.group === group && line.to === phase).length;
  }

  async reaches(group: string, phase: string, times = 1): Promise<void> {
    await until(`${group} is ${phase}`, () => this.count(group, phase) >= times);
  }

  async says(event: string): Promise<Line> {
    await until(`it says ${event}`, () => this.log.some((line) => line.event === event));
    const found = this.log.find((line) => line.event === event);
    if (found === undefined) throw new Error(`it has not said ${event}`);
    return found;
  }
}

let directory = '';
let file = '';
let started: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fo-up-'));
  file = join(directory, 'failover.yaml');
  started = [];
});

afterEach(async () => {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});

/** Each says its group and epoch, and each run of it in a file. */
const COMMAND = `echo "$FAILOVER_GROUP $FAILOVER_EPOCH"; echo "$FAILOVER_EPOCH" >> "$RUNS/$FAILOVER_GROUP"; exec sleep 1000`;

function write(groups: Readonly<Record<string, string>>): void {
  const lines = Object.entries(groups).map(([name, more]) => `  ${name}: {${more}}`);
  const defaults = `defaults: {command: ${JSON.stringify(COMMAND.replaceAll('$RUNS', directory))}}`;
  writeFileSync(file, `stateDir: ${directory}/state\n${defaults}\ngroups:\n${lines.join('\n')}\n`);
}

function childrenOf(pid: number): readonly number[] {
  const text = textOf(`/proc/${String(pid)}/task/${String(pid)}/children`).trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

async function starterOf(up: Up): Promise<number> {
  return until('the process that starts commands', () =>
    childrenOf(Number(up.child.pid)).find((child) => {
      return textOf(`/proc/${String(child)}/cmdline`).includes('starter.js');
    }),
  );
}

/** Until it is asked, each second, whether it goes on, and says so: from then on it is used. */
async function answersOf(starter: number): Promise<void> {
  const answer = `{"id":0,"type":"pong","at":${String(Math.floor(monotonicNow()))}}\n`;
  let before = Infinity;
  await until('its answer', () => {
    const [, text = ''] = /^wchar: (\d+)$/m.exec(textOf(`/proc/${String(starter)}/io`)) ?? [];
    const more = Number(text) - before;
    before = Number(text);
    return more > 0 && more % answer.length === 0;
  });
}

function runsOf(group: string): readonly string[] {
  try {
    return readFileSync(join(directory, group), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

function client(command: string, ...args: readonly string[]) {
  const words = [LAUNCHER, command, ...args, '--state-dir', join(directory, 'state')];
  return spawnSync(process.execPath, words, { encoding: 'utf8' });
}

/** A command begins before its node serves, and has written a moment after. */
async function haveRun(runs: Readonly<Record<string, readonly string[]>>): Promise<void> {
  for (const [group, epochs] of Object.entries(runs)) {
    await until(`the runs of ${group}`, () => runsOf(group).length >= epochs.length);
    expect(runsOf(group)).toEqual(epochs);
  }
}

describe('failover up', () => {
  it('hands all groups to the other process when it is killed, on one pair of sockets', async () => {
    write({ a: '', b: '', c: '' });
    const one = new Up(['--prefix']);
    for (const group of ['a', 'b', 'c']) await one.reaches(group, 'serving');
    await until('each has printed', () => one.stdout.split('\n').length > 3);
    expect(one.stdout.split('\n').sort().join('\n').trim()).toBe('a | a 1\nb | b 1\nc | c 1');
    const other = new Up();
    for (const group of ['a', 'b', 'c']) await other.reaches(group, 'watching');
    one.child.kill('SIGKILL');
    for (const group of ['a', 'b', 'c']) await other.reaches(group, 'serving');
    await haveRun({ a: ['1', '2'], b: ['1', '2'], c: ['1', '2'] });
    other.child.kill('SIGTERM');
    expect(await other.ended).toBe(0);
  });

  it('has many groups started by a process beside it, which ends with it, and is replaced where it ends', async () => {
    const names = Array.from({ length: 9 }, (_, index) => `g${String(index)}`);
    write(Object.fromEntries(names.map((name) => [name, ''])));
    const parentOf = (up: Up, name: string): number => {
      const command = childrenOf(Number(up.child.pid))
        .flatMap(childrenOf)
        .find((child) => {
          return textOf(`/proc/${String(child)}/environ`).includes(`FAILOVER_GROUP=${name}\0`);
        });
      return readStat(command ?? 0)?.parent ?? 0;
    };
    const one = new Up();
    for (const name of names) await one.reaches(name, 'serving');
    const starter = await starterOf(one);
    const other = new Up();
    for (const name of names) await other.reaches(name, 'watching');
    // Before, it starts its commands itself.
    await answersOf(await starterOf(other));
    one.child.kill('SIGKILL');
    for (const name of names) await other.reaches(name, 'serving');
    await until('its end', () => !lives(starter));
    // In the middle of an exec() a process shows no environment.
    const parents = await until('all commands to be seen', () => {
      const found = names.map((name) => parentOf(other, name));
      return found.includes(0) ? null : found;
    });
    const [next = 0] = parents;
    expect(next).not.toBe(other.child.pid);
    expect(new Set(parents)).toEqual(new Set([next]));
    process.kill(next, 'SIGKILL');
    for (const name of names) await other.reaches(name, 'serving', 2);
    other.child.kill('SIGTERM');
    expect(await other.ended).toBe(0);
  });

  it('starts, stops and starts anew what has changed in its file, and nothing else', async () => {
    write({ same: '', changed: '', gone: '' });
    const up = new Up();
    for (const group of ['same', 'changed', 'gone']) await up.reaches(group, 'serving');
    await haveRun({ same: ['1'], changed: ['1'], gone: ['1'] });
    write({ same: '', changed: 'priority: 5', fresh: '' });
    up.child.kill('SIGHUP');
    await up.says('reloaded');
    await up.reaches('changed', 'serving', 2);
    await up.reaches('fresh', 'serving');
    expect(up.count('gone', 'stopped')).toBe(1);
    await haveRun({ same: ['1'], changed: ['1', '2'], gone: ['1'] });
    writeFileSync(file, 'groups: {same: {nope: 1}}');
    up.child.kill('SIGHUP');
    expect((await up.says('reload-refused')).reason).toContain('Nothing changed');
    write({ same: 'command: [/no/such/program]' });
    up.child.kill('SIGHUP');
    const why = 'same: Cannot run /no/such/program';
    const refusal = await until('the second refusal', () =>
      up.log.find(({ reason }) => reason?.includes(why)),
    );
    expect([refusal.event, up.log.at(-1)]).toEqual(['reload-refused', refusal]);
    const checked = client('up', '--check', '-f', file);
    expect([checked.status, checked.stdout]).toEqual([2, '']);
    expect(checked.stderr).toContain('1 group of it could not start here');
    expect(runsOf('same')).toEqual(['1']);
    up.child.kill('SIGTERM');
    expect(await up.ended).toBe(0);
  });

  it('answers over HTTP for the groups that it has, and no second one at its address', async () => {
    const port = await freePort();
    write({ a: '', b: '' });
    const address = ['--http', String(port)];
    const up = new Up(address);
    for (const group of ['a', 'b']) await up.reaches(group, 'serving');
    const get = async (path: string): Promise<readonly [number, string]> => {
      const answer = await fetch(`http://127.0.0.1:${String(port)}${path}`);
      return [answer.status, await answer.text()];
    };
    expect((await get('/groups/b/primary'))[0]).toBe(200);
    expect((await get('/primary'))[0]).toBe(400);
    expect((await get('/readiness'))[0]).toBe(200);
    expect((await get('/liveness'))[0]).toBe(200);
    expect((await get('/metrics'))[1]).toMatch(/^failover_serving\{group="b"\} 1$/m);
    write({ a: '', c: '' });
    const words = [LAUNCHER, 'up', '-f', file, ...address];
    const second = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect([second.status, second.stderr]).toEqual([1, expect.stringContaining('Cannot listen')]);
    expect(existsSync(join(directory, 'state', 'c'))).toBe(false);
    up.child.kill('SIGHUP');
    await up.says('reloaded');
    expect(await get('/groups')).toEqual([200, '{"v":1,"groups":["a","c"]}\n']);
    await up.reaches('c', 'serving');
    const [, measures] = await get('/metrics');
    expect(measures).toContain('group="c"');
    expect(measures).not.toContain('group="b"');
    up.child.kill('SIGTERM');
    expect(await up.ended).toBe(0);
  });

  it('shows over HTTP a group whose lease in its directory ends by itself', async () => {
    const port = await freePort();
    write({ a: 'leaseTtl: 1s', b: '' });
    const { stateDir } = sharedState(join(directory, 'state'));
    onTestFinished(() => {
      rmSync(stateDir, { recursive: true, force: true });
    });
    const up = new Up(['--http', String(port)]);
    for (const group of ['a', 'b']) await up.reaches(group, 'serving');
    const url = `http://127.0.0.1:${String(port)}`;
    await vi.waitFor(
      async () => {
        for (const group of ['a', 'b']) {
          const answer = await fetch(`${url}/groups/${group}/status`);
          expect(await answer.text()).toMatch(/"primary":"[^"]/);
        }
      },
      { timeout: 15_000 },
    );
    up.child.kill('SIGTERM');
    expect(await up.ended).toBe(0);
  });

  it('goes on with the others when one ends or can not be started, and ends with its code', async () => {
    write({
      ends: 'restart: never, command: "exit 9"',
      missing: 'command: [/no/such/program]',
      goes: '',
    });
    const up = new Up(['--only', 'ends', 'missing', 'goes']);
    await up.reaches('goes', 'serving');
    await until(
      'both have ended',
      () => up.log.filter(({ event }) => event === 'exit').length >= 2,
    );
    const exits = up.log.filter(({ event }) => event === 'exit');
    expect(exits.map(({ group, exitCode }) => [group, exitCode]).sort()).toEqual([
      ['ends', 9],
      ['missing', 127],
    ]);
    expect(up.count('goes', 'stopped')).toBe(0);
    up.child.kill('SIGTERM');
    expect([9, 127]).toContain(await up.ended);
  });

  it('has one of its groups stopped by a client, also where others lead and stand by in the same processes', async () => {
    write({ a: '', b: '' });
    const one = new Up();
    for (const group of ['a', 'b']) await one.reaches(group, 'serving');
    const other = new Up();
    for (const group of ['a', 'b']) await other.reaches(group, 'watching');
    await haveRun({ a: ['1'], b: ['1'] });
    const stopped = client('stop', '--group', 'a');
    expect(stopped.stderr).toBe('');
    expect([stopped.status, stopped.stdout.match(/has stopped/g)?.length]).toEqual([0, 2]);
    await one.reaches('a', 'stopped');
    await other.reaches('a', 'stopped');
    expect(client('status', '--group', 'b').status).toBe(0);
    expect([runsOf('a'), runsOf('b')]).toEqual([['1'], ['1']]);
    expect([one.count('b', 'serving'), other.count('b', 'watching')]).toEqual([1, 1]);
  });

  it('is not signalled by the stop of a group that it is too slow to answer', async () => {
    write({ a: '', b: '' });
    const up = new Up();
    for (const group of ['a', 'b']) await up.reaches(group, 'serving');
    up.child.kill('SIGSTOP');
    const stopped = client('stop', '--group', 'a', '--timeout', '100ms');
    up.child.kill('SIGCONT');
    expect(stopped.status).toBe(7);
    expect(stopped.stderr).toContain(
      'also runs nodes of other groups: it is not signalled. It is stopped',
    );
    // A signal would have reached it before this.
    up.child.kill('SIGHUP');
    await up.says('reloaded');
    expect(up.log.filter(({ event }) => event === 'stopping')).toEqual([]);
  });
});
