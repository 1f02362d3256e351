// Checks are run side by side, each within its time, and one that fails in a strange way hides no other.
import { existsSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { NotTried, ok } from '../../../src/cli/doctor/check.ts';
import type { Check } from '../../../src/cli/doctor/check.ts';
import { runChecks } from '../../../src/cli/doctor/run-checks.ts';
import { Workshop } from '../../../src/cli/doctor/workshop.ts';
import { FailoverError } from '../../../src/errors.ts';
import { placeWith, temporaryDirectory } from './place.ts';

it('ends a check that finds nothing out, while others are done', async () => {
  const found = await runChecks(
    [check('never', () => new Promise(() => undefined)), check('soon', () => ok('fine'))],
    placeWith({ limitMs: 20 }),
  );
  expect(found.map(({ id, status }) => [id, status])).toEqual([
    ['never', 'failure'],
    ['soon', 'ok'],
  ]);
  expect(found[0]?.fact).toBe('No result within 20ms');
  expect(found[0]?.tookMs).toBeGreaterThanOrEqual(19);
});

it('takes no other node that keeps it waiting for a reason not to start', async () => {
  const others: Check = {
    ...check('others', () => new Promise(() => undefined)),
    isOfOthers: true,
  };
  const found = await runChecks([others], placeWith({ limitMs: 20 }));
  expect(found).toMatchObject([{ status: 'warning', fact: 'No result within 20ms' }]);
});

it('runs them side by side', async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const waiting = check('waiting', async () => {
    await gate;
    return ok('opened');
  });
  const opening = check('opening', () => {
    open();
    return ok('opens');
  });
  const found = await runChecks([waiting, opening], placeWith());
  expect(found.map(({ fact }) => fact)).toEqual(['opened', 'opens']);
});

it('takes an error of ours with its advice, and any other as a failure', async () => {
  const found = await runChecks(
    [
      check('ours', () => {
        throw new FailoverError('FAILOVER_STATE_DIR_FULL', 'Cannot write: it is full');
      }),
      check('other', () => Promise.reject(new Error('strange'))),
      check('later', () => {
        throw new NotTried('nothing answers', 'store');
      }),
    ],
    placeWith(),
  );
  expect(found.map(({ status, fact, advice }) => [status, fact, advice])).toEqual([
    [
      'failure',
      'Cannot write: it is full',
      'Free up space or inodes on the file system of the state directory.',
    ],
    ['failure', 'strange', 'Report it with the version of failover and this message.'],
    ['warning', 'Not tried: nothing answers', 'First fix what the check `store` reports.'],
  ]);
});

it('leaves out what does not apply', async () => {
  const one: Check = { ...check('x', () => ok('y')), appliesTo: () => false };
  expect(await runChecks([one], placeWith())).toEqual([]);
});

it('has one directory for all that is tried, which goes with all that is in it', () => {
  const stateDir = temporaryDirectory();
  const workshop = new Workshop(stateDir);
  const paths = [workshop.path('a'), workshop.path('b')];
  expect(readdirSync(stateDir)).toHaveLength(1);
  expect(new Set(paths).size).toBe(2);
  workshop.clear();
  expect(existsSync(stateDir)).toBe(true);
  expect(readdirSync(stateDir)).toEqual([]);
  // A check that was given up makes nothing afterwards.
  expect(() => workshop.path('c')).toThrow(NotTried);
});

function check(id: string, run: Check['run']): Check {
  return { id, question: 'Is it?', run };
}
