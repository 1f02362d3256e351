// The file of a token: what it may be, and that it is read again when it changes.
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusals } from '../../src/http/refusals.ts';
import { tokenInFile } from '../../src/http/token.ts';
import type { TokenFile } from '../../src/http/token.ts';
import { failureOf } from '../support/failover-error.ts';
import { until } from '../support/until.ts';

let directory = '';
const files: TokenFile[] = [];

const opened: typeof tokenInFile = (...given) => {
  const one = tokenInFile(...given);
  files.push(one);
  return one;
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'failover-token-'));
});

afterEach(() => {
  for (const { close } of files.splice(0)) close();
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

function file(content: string, mode = 0o600): string {
  const path = join(directory, 'token');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const ONE = '0123456789abcdef';
const OTHER = 'fedcba9876543210-other';

describe('the file of a token', () => {
  it('is that of its line', () => {
    const { check } = opened(file(`${ONE}\n`), () => undefined);
    expect([ONE, `${ONE}\n`, ONE.slice(1), '', OTHER].map(check)).toEqual([
      ...[true, false, false, false, false],
    ]);
  });

  it.each([
    ['others can read', ONE, 0o640, 'others have access to it (mode 0640)'],
    ['is too short', ONE.slice(1), 0o600, 'its token has 15 characters, fewer than 16'],
    ['has two lines', `${ONE}\n${ONE}\n`, 0o600, 'it has several lines'],
    ['no header can carry', `${ONE}é`, 0o600, 'characters not allowed in a header'],
    ['is empty', '', 0o600, 'its token has 0 characters'],
  ])('is refused at the start if it is one that %s', (_, content, mode, fact) => {
    const { message, exitCode } = failureOf(() =>
      tokenInFile(file(content, mode), () => undefined),
    );
    expect([message, exitCode]).toEqual([expect.stringContaining(fact), 2]);
    expect(message).toMatch(/^Cannot use --http-token-file /);
    if (content !== '') expect(message).not.toContain(content.trim());
  });

  it('is read again when it changes; while it can not be used no token is right', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const warnings: string[] = [];
    const path = file(ONE);
    let looks = 0;
    const { check } = opened(
      path,
      (message) => warnings.push(message),
      async (of) => {
        const stats = await stat(of, { bigint: true }).finally(() => (looks += 1));
        return stats;
      },
    );
    const look = async (): Promise<void> => {
      const before = looks;
      vi.advanceTimersByTime(1_000);
      await until('a look', () => looks > before);
    };
    expect(check(ONE)).toBe(true);
    writeFileSync(path, OTHER);
    await look();
    await until('the other', () => check(OTHER) === true);
    expect(check(ONE)).toBe(false);
    chmodSync(path, 0o644);
    await look();
    await until('none', () => check(OTHER) === null);
    expect(warnings).toEqual([expect.stringContaining('mode 0644')]);
    chmodSync(path, 0o600);
    await look();
    await until('it again', () => check(OTHER) === true);
    rmSync(path);
    await look();
    await until('none', () => check(OTHER) === null);
    expect(warnings).toHaveLength(2);
  });

  it('has nobody wait for a file system that does not answer: there is no right token after 5 s', async () => {
    vi.useFakeTimers();
    const path = file(ONE);
    const answers: ((stats: BigIntStats) => void)[] = [];
    const { check } = opened(
      path,
      () => undefined,
      () => new Promise((resolve) => answers.push(resolve)),
    );
    await vi.advanceTimersByTimeAsync(5_900);
    expect([check(ONE), answers.length]).toEqual([true, 1]);
    await vi.advanceTimersByTimeAsync(200);
    expect(check(ONE)).toBeNull();
    answers[0]?.(statSync(path, { bigint: true }));
    await vi.advanceTimersByTimeAsync(0);
    expect(check(ONE)).toBe(true);
  });
});

describe('guesses of a token', () => {
  it('are ten at once, then one in six seconds, and all ten again after a minute', () => {
    let now = 0;
    const refusals = new Refusals(() => now);
    for (let guess = 0; guess < 10; guess += 1) {
      expect(refusals.waitMs('h')).toBe(0);
      refusals.note('h', String(guess));
    }
    expect(refusals.waitMs('h')).toBe(6_000);
    expect(refusals.waitMs('other')).toBe(0);
    now = 6_000;
    expect(refusals.waitMs('h')).toBe(0);
    refusals.note('h', 'another');
    expect(refusals.waitMs('h')).toBe(6_000);
    now += 60_000;
    for (let guess = 0; guess < 9; guess += 1) refusals.note('h', `later${String(guess)}`);
    expect(refusals.waitMs('h')).toBe(0);
  });

  it('are different ones: who asks with the same wrong one again and again guesses nothing', () => {
    const refusals = new Refusals(() => 0);
    for (let time = 0; time < 1000; time += 1) refusals.note('h', `old${String(time % 3)}`);
    expect(refusals.waitMs('h')).toBe(0);
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:0:0:9', true],
    ['2001:db8:1:2::1', '2001:0db8:1:2::1%eth0', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['::1', '::2', true],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
  ])(
    'are those of a network of IPv6, and of one address of IPv4: %s and %s',
    (one, other, same) => {
      const refusals = new Refusals(() => 0);
      for (let guess = 0; guess < 10; guess += 1) refusals.note(one, String(guess));
      expect(refusals.waitMs(other)).toBe(same ? 6_000 : 0);
    },
  );

  it('are remembered of a bounded number of addresses, those that guess last', () => {
    const refusals = new Refusals(() => 0);
    const guessMuch = (address: string): void => {
      for (let guess = 0; guess < 11; guess += 1) refusals.note(address, String(guess));
    };
    guessMuch('first');
    for (let index = 0; index < 999; index += 1) refusals.note(String(index), 'x');
    expect(refusals.waitMs('first')).toBeGreaterThan(0);
    refusals.note('one more', 'x');
    expect(refusals.waitMs('first')).toBe(0);
  });
});
