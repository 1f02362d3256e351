// A signal goes only to the very process that was found: a pid alone is reused.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SignalLadder } from '../../src/fence/signal-ladder.ts';
import { until } from '../support/until.ts';
import { runs, Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

it.each([
  ['is told', 10_000],
  ['is killed', 0],
])('a process that has the pid of one that was found before is not what %s', async (_, graceMs) => {
  const stranger = await stage.start(
    `trap 'echo told' TERM; trap 'echo asked' WINCH; echo ready; while :; do sleep 0.02; done`,
  );
  const { pid, startTime } = stranger.identity;
  const found = { pid, startTime: `${startTime}0`, session: pid, graceMs, isStopping: false };
  new SignalLadder(graceMs).step([found]);
  // Of signals that wait, a shell takes the lower number first: TERM would be told by now.
  process.kill(pid, 'SIGWINCH');
  await until('the later signal', () => stranger.lines.includes('asked'));
  expect(stranger.lines).toEqual(['asked']);
  expect(runs(pid)).toBe(true);
});

it('it says what it sent, and when the first grace is over: the next look is then', async () => {
  const patient = await stage.start(`trap '' TERM; echo ready; while :; do sleep 0.02; done`);
  const { pid, startTime } = patient.identity;
  const found = { pid, startTime, session: pid, graceMs: 60_000, isStopping: false };
  const hasty = { ...found, graceMs: 30_000 };
  const ladder = new SignalLadder(60_000);
  expect([ladder.sent, ladder.dueInMs]).toEqual([0, Infinity]);
  ladder.step([found, hasty]);
  // SIGTERM and SIGCONT, once.
  expect(ladder.sent).toBe(2);
  expect(ladder.dueInMs).toBeGreaterThan(0);
  expect(ladder.dueInMs).toBeLessThanOrEqual(30_000);
  ladder.step([{ ...found, graceMs: 0 }]);
  expect([ladder.sent, ladder.dueInMs]).toEqual([3, Infinity]);
  await until('its end', () => !runs(pid));
});
