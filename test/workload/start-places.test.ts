// Where the next process is started: what was made ready is taken once, and never with a lock file of before.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { KernelLock } from '../../src/lease/file/kernel-lock.ts';
import type { SpawnGated } from '../../src/workload/gate.ts';
import { StartPlaces } from '../../src/workload/start-places.ts';
import { temporaryDirectory } from '../lease/support/fixtures.ts';

it('hands out what was made ready once, and then what takes its time', () => {
  const { places, ahead, plain } = stage();
  places.prepare();
  places.prepare();
  expect(ahead.started).toBe(1);
  const [first, second] = [places.take(), places.take()];
  expect([first.spawn, second.spawn]).toEqual([ahead.spawn, plain]);
  for (const place of [first, second]) place.leave();
});

it('gives up what has a lock file that was replaced, also when it makes ready again', () => {
  const { places, ahead, path } = stage();
  places.prepare();
  replace(path);
  places.prepare();
  expect([ahead.started, ahead.dismissed]).toEqual([2, 1]);
  replace(path);
  const place = places.take();
  expect(place.description.tryLock()).toBe(true);
  expect(ahead.dismissed).toBe(2);
  place.leave();
});

it('makes ready anew what has ended meanwhile', () => {
  const { places, ahead, plain } = stage();
  places.prepare();
  ahead.end();
  const place = places.take();
  expect(place.spawn).toBe(plain);
  place.leave();
  places.prepare();
  expect(ahead.started).toBe(2);
});

it('goes without it where the system refuses it', () => {
  const { places, ahead, plain } = stage();
  ahead.refuses = true;
  places.prepare();
  const place = places.take();
  expect(place.spawn).toBe(plain);
  place.leave();
});

/** Counts what is started ahead; nothing is. */
class Ahead {
  started = 0;
  dismissed = 0;
  refuses = false;
  end: () => void = () => undefined;
  readonly spawn: SpawnGated = () => Promise.reject(new Error('not here'));

  start(onGone: () => void): { spawn: SpawnGated; dismiss: () => void } {
    if (this.refuses) throw new Error('no room');
    this.started += 1;
    this.end = onGone;
    const dismiss = (): void => {
      this.dismissed += 1;
    };
    return { spawn: this.spawn, dismiss };
  }
}

/** By another file: the first has its number as long as somebody has it open. */
function replace(path: string): void {
  rmSync(path);
  writeFileSync(path, '');
}

function stage(): {
  readonly places: StartPlaces;
  readonly ahead: Ahead;
  readonly plain: SpawnGated;
  readonly path: string;
} {
  const path = join(temporaryDirectory(), 'workload.lock');
  writeFileSync(path, '');
  const lock = new KernelLock(path);
  const ahead = new Ahead();
  const plain: SpawnGated = () => Promise.reject(new Error('not here either'));
  const places = new StartPlaces({
    lock,
    output: 'inherit',
    spawn: plain,
    startAhead: (_, onGone) => ahead.start(onGone),
  });
  return { places, ahead, plain, path };
}
