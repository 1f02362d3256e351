// What was read is read again wherever it may have changed, also within one tick of a coarse clock.
import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileSight } from '../../../src/lease/file/file-sight.ts';
import { HighestEpoch } from '../../../src/lease/file/highest-epoch.ts';
import { ReadOnce, TICK_MS, TRUST_MS } from '../../../src/lease/file/read-once.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

/** A file whose clock stands still, and a count of how often it is read. */
class Still {
  now = 0;
  content = 'first';
  readings = 0;
  stats: BigIntStats = statSync('/', { bigint: true });
  readonly once = new ReadOnce<string>(() => this.now);

  read(): string {
    return this.once.value(this.stats, () => {
      this.readings += 1;
      return this.content;
    });
  }
}

it('sees what is written within the same tick as what was read', () => {
  const file = new Still();
  expect(file.read()).toBe('first');
  for (const content of ['second', 'third']) {
    file.content = content;
    expect(file.read()).toBe(content);
  }
  file.now = TICK_MS - 1;
  file.content = 'fourth';
  expect(file.read()).toBe('fourth');
});

it('reads once more when no write can look like the last one any more, and then no longer', () => {
  const file = new Still();
  file.read();
  file.now = TICK_MS;
  file.content = 'written before that';
  expect(file.read()).toBe('written before that');
  const { readings } = file;
  for (let look = 0; look < 10; look += 1) expect(file.read()).toBe('written before that');
  expect(file.readings).toBe(readings);
});

it.each(['ino', 'dev', 'size', 'mtimeNs', 'ctimeNs'] as const)('sees another %s', (field) => {
  const file = new Still();
  file.read();
  file.now = TICK_MS;
  file.read();
  file.content = 'second';
  expect(file.read()).toBe('first');
  file.stats = { ...file.stats, [field]: file.stats[field] + 1n };
  expect(file.read()).toBe('second');
  // From now on there is another tick to wait for.
  file.content = 'third';
  expect(file.read()).toBe('third');
});

it('believes a file system that keeps no times for a while only', () => {
  const file = new Still();
  file.read();
  file.now = TICK_MS;
  file.read();
  file.content = 'second';
  file.now += TRUST_MS - 1;
  expect(file.read()).toBe('first');
  file.now += 1;
  expect(file.read()).toBe('second');
});

it('remembers nothing of a reading that failed, or that is to be forgotten', () => {
  const file = new Still();
  const failing = (): string => {
    throw new Error('out of descriptors');
  };
  expect(() => file.once.value(file.stats, failing)).toThrow('out of descriptors');
  expect(file.read()).toBe('first');
  file.now = TICK_MS;
  file.read();
  file.content = 'second';
  file.once.forget();
  expect(file.read()).toBe('second');
});

it('finds an epoch that was recorded just after the last look, at whatever time', () => {
  const epochs = join(temporaryDirectory(), 'epochs');
  let now = 0;
  const highest = new HighestEpoch(epochs, new FileSight(), () => now);
  expect(highest.onRecord).toBe(0);
  mkdirSync(epochs);
  for (let epoch = 1; epoch <= 50; epoch += 1) {
    writeFileSync(join(epochs, String(epoch)), '');
    expect(highest.onRecord).toBe(epoch);
    // As a clock of one second would leave it.
    utimesSync(epochs, 1, 1);
    if (epoch % 10 === 0) now += TICK_MS;
    expect(highest.onRecord).toBe(epoch);
  }
});
