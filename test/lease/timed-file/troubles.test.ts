// What happens to a timed lease in files on the way: a watch that fails, a sign of life that can not be written.
import { EventEmitter } from 'node:events';
import type fs from 'node:fs';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { RemoteStore } from '../../../src/lease/remote-store.ts';
import { NodeList } from '../../../src/lease/timed-file/node-list.ts';
import { timedFileLease } from '../../../src/lease/timed-file/timed-file-lease.ts';
import { monotonicNow } from '../../../src/runtime/clock.ts';
import { addressOf, ledBefore } from '../../contracts/support/shared-directory.ts';
import { recordOf } from '../../contracts/support/stage.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

class Watcher extends EventEmitter {
  readonly close = vi.fn<() => void>();
}

const watches = vi.hoisted(() => ({ made: [] as Watcher[] }));

vi.mock('node:fs', async (importOriginal) => ({
  ...(await importOriginal<typeof fs>()),
  watch: () => {
    const watcher = new Watcher();
    watches.made.push(watcher);
    return watcher;
  },
}));

const GROUP = 'web';

async function joined(): Promise<RemoteStore> {
  watches.made = [];
  const directory = temporaryDirectory();
  ledBefore(directory, GROUP);
  const store = timedFileLease({
    ...{ address: addressOf(directory), group: GROUP, record: recordOf('a') },
    ...{ ttlMs: 5_000, requestTimeoutMs: 5_000, now: monotonicNow },
  });
  onTestFinished(() => store.close().catch(() => undefined));
  await store.begin();
  await store.look();
  return store;
}

it('is watched anew from the next look on where its watch has failed', async () => {
  const store = await joined();
  expect(watches.made).toHaveLength(1);
  await store.look();
  expect(watches.made).toHaveLength(1);
  watches.made[0]?.emit('error', new Error('its directory is gone'));
  expect(watches.made[0]?.close).toHaveBeenCalledOnce();
  await store.look();
  await store.look();
  expect(watches.made).toHaveLength(2);
});

it('goes on without a sign of life where there is no room for it, and hides no other error', async () => {
  const store = await joined();
  const sign = vi.spyOn(NodeList.prototype, 'sign');
  onTestFinished(() => {
    sign.mockRestore();
  });
  sign.mockRejectedValue(Object.assign(new Error('full'), { code: 'ENOSPC' }));
  await expect(store.look()).resolves.toMatchObject({ held: false });
  sign.mockRejectedValue(new TypeError('it is not a function'));
  await expect(store.look()).rejects.toThrow('it is not a function');
});
