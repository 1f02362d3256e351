// Who is named of many: not what comes and goes with one that is named.
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withoutForks } from '../../src/fence/forks.ts';
import { readStat } from '../../src/fence/process-identity.ts';
import { until } from '../support/until.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

it('a child goes with its parent, where that is one of them, and not one with a session of its own', async () => {
  const script = 'sleep 1000 & echo $!; setsid sleep 1000 & echo $!; echo ready; wait';
  const { identity, lines } = await stage.start(script);
  const parent = identity.pid;
  await until('both are known', () => lines.length === 2);
  const [child = 0, leader = 0] = lines.map(Number);
  await until('it has a session of its own', () => readStat(leader)?.session === leader);
  expect(withoutForks([parent, child, leader, parent])).toEqual([parent, leader]);
  expect(withoutForks([child, leader])).toEqual([child, leader]);
  const ended = spawnSync('true').pid;
  expect(withoutForks([ended, child])).toEqual([child]);
  expect(withoutForks([ended])).toEqual([ended]);
});
