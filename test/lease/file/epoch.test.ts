// The exact claim: two can never have the same number, and no number comes twice.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  claimEpoch,
  highestEpoch,
  listEpochs,
  pruneEpochs,
} from '../../../src/lease/file/epoch.ts';
import { failureOf } from '../../support/failover-error.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

/** Runs between the look and the claim, and between the claim and the look after it. */
const between = vi.hoisted(() => ({
  beforeLink: (): void => undefined,
  afterLink: (): void => undefined,
}));

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  return {
    ...original,
    linkSync: (from: string, to: string) => {
      between.beforeLink();
      original.linkSync(from, to);
      between.afterLink();
    },
  };
});

function setUp(): { epochs: string; record: string } {
  const directory = temporaryDirectory();
  const epochs = join(directory, 'epochs');
  const record = join(directory, 'claim.json');
  mkdirSync(epochs);
  writeFileSync(record, '{}');
  between.beforeLink = between.afterLink = () => undefined;
  return { epochs, record };
}

describe('where there is no room for one more name', () => {
  const noRoom = (): never => {
    throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
  };

  it('claims in the room that is made, and asks for it once', () => {
    const { epochs, record } = setUp();
    let asked = 0;
    between.beforeLink = () => {
      if (asked === 0) noRoom();
    };
    const makeRoom = (): boolean => {
      asked += 1;
      return true;
    };
    expect(claimEpoch({ epochs, record, floor: 0, makeRoom })).toMatchObject({ epoch: 1 });
    between.beforeLink = noRoom;
    expect(failureOf(() => claimEpoch({ epochs, record, floor: 0, makeRoom }))).toMatchObject({
      code: 'FAILOVER_STATE_DIR_FULL',
    });
    expect(asked).toBe(2);
  });

  it('says so when none can be made', () => {
    const { epochs, record } = setUp();
    between.beforeLink = noRoom;
    const request = { epochs, record, floor: 0, makeRoom: () => false };
    expect(failureOf(() => claimEpoch(request))).toMatchObject({ code: 'FAILOVER_STATE_DIR_FULL' });
    expect(highestEpoch(epochs)).toBe(0);
  });
});

it('claims what was seen and one more, or what the floor says and one more', () => {
  const { epochs, record } = setUp();
  expect(claimEpoch({ epochs, record, floor: 0 })).toEqual({
    type: 'claimed',
    epoch: 1,
    previous: 0,
  });
  expect(claimEpoch({ epochs, record, floor: 0 })).toEqual({
    type: 'claimed',
    epoch: 2,
    previous: 1,
  });
  expect(claimEpoch({ epochs, record, floor: 9 })).toEqual({
    type: 'claimed',
    epoch: 10,
    previous: 2,
  });
});

it('loses to one who claims the same number first, and claims no other in its place', () => {
  const { epochs, record } = setUp();
  between.beforeLink = () => {
    writeFileSync(join(epochs, '1'), 'another');
  };
  expect(claimEpoch({ epochs, record, floor: 0 })).toEqual({ type: 'lost-race' });
  expect(readdirSync(epochs)).toEqual(['1']);
});

it('is void when a higher number is there after it: the number had been claimed and pruned', () => {
  const { epochs, record } = setUp();
  between.beforeLink = () => {
    writeFileSync(join(epochs, '7'), 'another');
  };
  expect(claimEpoch({ epochs, record, floor: 0 })).toEqual({ type: 'lost-race' });
  between.beforeLink = () => undefined;
  between.afterLink = () => {
    writeFileSync(join(epochs, '9'), 'another');
  };
  expect(claimEpoch({ epochs, record, floor: 0 })).toEqual({ type: 'lost-race' });
  between.afterLink = () => undefined;
  expect(claimEpoch({ epochs, record, floor: 0 })).toMatchObject({ epoch: 10 });
});

it('loses when the directory or the record is gone', () => {
  const { epochs, record } = setUp();
  rmSync(record);
  expect(claimEpoch({ epochs, record, floor: 0 })).toEqual({ type: 'lost-race' });
  rmSync(epochs, { recursive: true });
  expect(claimEpoch({ epochs, record, floor: 0 })).toEqual({ type: 'lost-race' });
  expect(highestEpoch(epochs)).toBe(0);
});

it('counts only whole numbers that can be told apart', () => {
  const { epochs } = setUp();
  for (const name of [
    '3',
    '20',
    '0',
    '01',
    '-1',
    '1.5',
    '9007199254740992',
    '99999999999999999',
    'x',
  ]) {
    writeFileSync(join(epochs, name), '');
  }
  expect(listEpochs(epochs)).toEqual([20, 3]);
});

it('prunes the oldest, never the newest 16, and nothing that is no epoch', () => {
  const { epochs } = setUp();
  for (let epoch = 1; epoch <= 40; epoch += 1) writeFileSync(join(epochs, String(epoch)), '');
  writeFileSync(join(epochs, 'note'), '');
  pruneEpochs(epochs);
  expect(listEpochs(epochs)).toEqual(Array.from({ length: 16 }, (_, index) => 40 - index));
  expect(readdirSync(epochs)).toContain('note');
});

it('fails, and claims nothing, where no number is left', () => {
  const { epochs, record } = setUp();
  const request = { epochs, record, floor: Number.MAX_SAFE_INTEGER };
  expect(failureOf(() => claimEpoch(request))).toMatchObject({
    code: 'FAILOVER_RECORD_UNREADABLE',
  });
  expect(readdirSync(epochs)).toEqual([]);
});
