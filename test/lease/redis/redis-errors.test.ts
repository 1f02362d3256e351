// What a server answers is understood also where a command within a script was told it.
import { describe, expect, it } from 'vitest';
import { isOfReplica, refusalOf } from '../../../src/lease/redis/redis-errors.ts';

/** As Redis 6 tells it; later ones give the answer as it is, with the place after it. */
const WITHIN = 'ERR Error running script (call to f_0d1e2f): @user_script:4: @user_script: 4: ';
const READONLY = 'READONLY You cannot write against a read only replica.';

describe.each([
  ['of Redis 7', (answer: string) => `${answer} script: 0d1e2f, on @user_script:4.`],
  ['of Redis 6, within a script', (answer: string) => `${WITHIN}-${answer}`],
  ['to a command', (answer: string) => answer],
])('an answer %s', (_whose, told) => {
  it('of a replica leads to another connection, and says what it is', () => {
    const error = new Error(told(READONLY));
    expect(isOfReplica(error)).toBe(true);
    expect(refusalOf('redis://h', error)?.message).toBe(
      'Cannot use the lease store redis://h: it is a replica, which cannot keep a lease',
    );
  });

  it.each([
    "OOM command not allowed when used memory > 'maxmemory'.",
    'MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.',
    'LOADING Redis is loading the dataset in memory',
  ])('that passes is no refusal: %s', (answer) => {
    const error = new Error(told(answer));
    expect([isOfReplica(error), refusalOf('redis://h', error)]).toEqual([false, null]);
  });
});

it('of a script that fails by itself is a refusal', () => {
  const error = new Error(`${WITHIN}Script attempted to access a non local key`);
  expect(refusalOf('redis://h', error)?.message).toContain('ERR Error running script');
  expect(isOfReplica(error)).toBe(false);
});
