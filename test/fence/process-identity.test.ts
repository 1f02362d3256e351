import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  hasEnded,
  isAlive,
  isComparable,
  isSameProcess,
  ownIdentity,
  parseStat,
  programOf,
  readIdentity,
  readStat,
} from '../../src/fence/process-identity.ts';
import { until } from '../support/until.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

describe('isAlive', () => {
  it('is true of this process', () => {
    expect(ownIdentity().pid).toBe(process.pid);
    expect(isAlive(ownIdentity())).toBe(true);
  });

  it('is false of a pid that another process has now', () => {
    expect(isAlive({ ...ownIdentity(), startTime: '1' })).toBe(false);
  });

  it.each(['bootId', 'pidNamespace'] as const)('is false when the %s is another', (field) => {
    const foreign = { ...ownIdentity(), [field]: 'another' };
    expect(isAlive(foreign)).toBe(false);
    expect(isComparable(foreign)).toBe(false);
    expect(isSameProcess(foreign, ownIdentity())).toBe(false);
  });

  it('turns false when the process ends', async () => {
    const actor = await stage.start('echo ready; exec sleep 1000');
    expect(isAlive(actor.identity)).toBe(true);
    actor.child.kill('SIGKILL');
    await actor.end;
    expect(isAlive(actor.identity)).toBe(false);
    expect(readStat(actor.identity.pid)).toBeNull();
  });

  it('is false of a zombie', async () => {
    // sleep never collects the child that the shell left it.
    const actor = await stage.start('sleep 1000 & echo $!; echo ready; exec sleep 1000');
    await until('its pid is known', () => actor.lines.length === 1);
    const pid = Number(actor.lines[0]);
    await until(
      'its parent collects no child',
      () => readStat(actor.identity.pid)?.name === 'sleep',
    );
    process.kill(pid, 'SIGKILL');
    await until('it is a zombie', () => readStat(pid)?.state === 'Z');
    expect(readIdentity(pid)).toBeNull();
    const { bootId, pidNamespace } = ownIdentity();
    const startTime = readStat(pid)?.startTime ?? '';
    expect(isAlive({ pid, startTime, bootId, pidNamespace })).toBe(false);
  });
});

it('a process whose first thread alone has ended has not ended', () => {
  expect(hasEnded({ state: 'Z', threads: 3 })).toBe(false);
  expect(hasEnded({ state: 'Z', threads: 1 })).toBe(true);
});

it('a name with brackets and spaces does not shift the fields', async () => {
  const program = join(stage.stateDir, 'a) R 1 (b');
  copyFileSync('/bin/sleep', program);
  const actor = await stage.start(`echo ready; exec '${program}' 1000`);
  const { pid, startTime } = actor.identity;
  await until('it has become the program', () => readStat(pid)?.name === 'a) R 1 (b');
  const stat = readStat(pid);
  expect(stat).toMatchObject({ pid, parent: process.pid, group: pid, session: pid, startTime });
  expect(stat?.threads).toBe(1);
  expect(stat?.state).toMatch(/^[RSD]$/);
});

it('a process that goes on to another program is told from what it was', async () => {
  const pipe = join(stage.stateDir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const actor = await stage.start(
    `echo ready; read line <'${pipe}'; exec sh -c 'while :; do sleep 1; done' again`,
  );
  const { pid } = actor.identity;
  const before = programOf(pid);
  expect(before).toBeDefined();
  expect(programOf(pid)).toBe(before);
  writeFileSync(pipe, 'on\n');
  // An argument of its own: the script that it runs at first ends with the same word.
  await until('it has become the program', () =>
    readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1').endsWith('\0again\0'),
  );
  expect(readStat(pid)?.name).toBe('sh');
  expect(programOf(pid)).not.toBe(before);
});

it('a process that has ended has no program', () => {
  expect(programOf(2 ** 30)).toBeUndefined();
});

it.each(['', '12', '12 (sh', '12 (sh) S 1 2'])('the torn line %j reads as no process', (text) => {
  expect(parseStat(text)).toBeNull();
});

it('a pid that nobody has has no identity', () => {
  expect(readIdentity(2 ** 30)).toBeNull();
});
