// What a renewal of a lease in files does not wait for: those who look at its group, and the disk.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type promises from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SoleNode } from '../../../src/lease/join-alone.ts';
import type { RemoteStore } from '../../../src/lease/remote-store.ts';
import { SIGN_PAUSE_MS } from '../../../src/lease/sign-of-life.ts';
import { timedFileLease } from '../../../src/lease/timed-file/timed-file-lease.ts';
import { timedPaths } from '../../../src/lease/timed-file/timed-paths.ts';
import { monotonicNow } from '../../../src/runtime/clock.ts';
import { granted } from '../../contracts/support/claims.ts';
import { addressOf, ledBefore } from '../../contracts/support/shared-directory.ts';
import { recordOf } from '../../contracts/support/stage.ts';
import { until } from '../../support/until.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

const files = vi.hoisted(() => ({
  /** What has to be in the path of those whose reading takes its time. */
  slow: null as string | null,
  reads: [] as (() => void)[],
  /** Of all files. */
  read: [] as string[],
  /** How often a file or a directory was waited for to be on the disk. */
  flushes: 0,
  /** Null: nothing waits for its name. */
  renames: null as (() => void)[] | null,
}));

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof promises>();
  return {
    ...original,
    readFile: async (...args: Parameters<typeof original.readFile>) => {
      const path = pathOf(args[0]);
      const isSlow = files.slow !== null && path.includes(files.slow);
      files.read.push(path);
      if (isSlow) await new Promise<void>((resolve) => files.reads.push(resolve));
      return original.readFile(...args);
    },
    rename: async (...args: Parameters<typeof original.rename>) => {
      if (files.renames !== null) {
        await new Promise<void>((resolve) => files.renames?.push(resolve));
      }
      return original.rename(...args);
    },
    open: async (...args: Parameters<typeof original.open>) => {
      const file = await original.open(...args);
      const sync = file.sync.bind(file);
      file.sync = () => {
        files.flushes += 1;
        return sync();
      };
      return file;
    },
  };
});

const pathOf = vi.hoisted(
  () =>
    (path: unknown): string =>
      typeof path === 'string' ? path : '',
);

afterEach(() => {
  goOn();
  for (const rename of files.renames ?? []) rename();
  Object.assign(files, { renames: null, flushes: 0 });
});

const GROUP = 'web';
const TTL_MS = 60_000;
/** No shorter for a look. */
const BRIEFLY_MS = 1_500;

describe('a look at all nodes, or events', () => {
  it.each(['nodes', 'events'] as const)('keeps no renewal waiting: %s', async (what) => {
    const { a, look } = await leading(what);
    files.slow = `/${what}/`;
    const looked = look();
    await until('it reads', () => files.reads.length === 1);
    expect(await a.renew(5_000)).toMatchObject({ type: 'renewed' });
    goOn();
    expect(await looked).not.toHaveLength(0);
  });

  it('is one of all who ask before it has begun, and shows what is there by then', async () => {
    const { a, directory } = await leading('nodes');
    files.slow = '/nodes/';
    const first = a.listNodes();
    await until('the first one reads', () => files.reads.length === 1);
    const others = [a.listNodes(), a.listNodes(), a.listNodes()];
    const b = opened(directory, 'b');
    // Not its own registration: that asks for the id, which reads records too.
    files.slow = null;
    await b.begin();
    goOn();
    expect(await first).toHaveLength(1);
    const [seen, ...same] = await Promise.all(others);
    expect(seen?.map(({ node }) => node).sort()).toEqual(['a', 'b']);
    for (const one of same) expect(one).toBe(seen);
  });

  it.each(['nodes', 'events'] as const)(
    'reads no further when nobody waits for it any more: %s',
    async (what) => {
      const { directory, a, look } = await leading(what, BRIEFLY_MS);
      await opened(directory, 'b').begin();
      files.slow = `/${what}/`;
      await expect(look()).rejects.toThrow('it does not answer');
      files.read.length = 0;
      goOn();
      // What comes after it has its turn once that has ended.
      const other = what === 'nodes' ? a.readEvents(9) : a.listNodes();
      expect(await other).not.toHaveLength(0);
      expect(files.read.filter((path) => path.includes(`/${what}/`))).toEqual([]);
    },
  );
});

describe('a sign of life', () => {
  it('keeps no renewal waiting, and is not waited for on the disk', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    let at = 0;
    const a = opened(directory, 'a', { now: () => at });
    await a.begin();
    await granted(a);
    const path = onlyRecordIn(directory);
    const before = readFileSync(path, 'utf8');
    at = SIGN_PAUSE_MS['timed-file'];
    files.flushes = 0;
    const renames: (() => void)[] = [];
    files.renames = renames;
    expect(await a.renew(5_000)).toMatchObject({ type: 'renewed' });
    await until('it is given its name', () => renames.length === 1);
    files.renames = null;
    renames[0]?.();
    await until('it is there', () => readFileSync(path, 'utf8') !== before);
    expect(files.flushes).toBe(0);
  });

  it('that was lost with the power, and left no record, is that of a node that may live', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    let at = 0;
    const facts: string[] = [];
    const sole: SoleNode = {
      ...{ isGiven: true, quietMs: 0, lookAt: () => 'unknown', onTaken: () => undefined },
      onWait: (fact) => {
        facts.push(fact);
        at += 60_000;
        return null;
      },
    };
    await opened(directory, 'a', { sole }).begin();
    const path = onlyRecordIn(directory);
    writeFileSync(path, '');
    await opened(directory, 'a', { sole, now: () => at }).begin();
    expect(facts).toHaveLength(1);
    expect(existsSync(path)).toBe(false);
  });
});

interface Leading {
  readonly directory: string;
  readonly a: RemoteStore;
  readonly look: () => Promise<readonly unknown[]>;
}

/** A node that has the lease, and a look at it. */
async function leading(what: 'nodes' | 'events', requestTimeoutMs = TTL_MS): Promise<Leading> {
  const directory = temporaryDirectory();
  ledBefore(directory, GROUP);
  const a = opened(directory, 'a', { requestTimeoutMs });
  await a.begin();
  await granted(a);
  const look = (): Promise<readonly unknown[]> =>
    what === 'nodes' ? a.listNodes() : a.readEvents(9);
  return { directory, a, look };
}

interface Changes {
  readonly now?: () => number;
  readonly requestTimeoutMs?: number;
  readonly sole?: SoleNode;
}

function opened(directory: string, node: string, changes: Changes = {}): RemoteStore {
  const store = timedFileLease({
    ...{ address: addressOf(directory), group: GROUP, record: recordOf(node) },
    ...{ ttlMs: TTL_MS, requestTimeoutMs: TTL_MS, now: monotonicNow, ...changes },
  });
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

function onlyRecordIn(directory: string): string {
  const { nodes } = timedPaths(directory, GROUP);
  return join(nodes, ...readdirSync(nodes));
}

function goOn(): void {
  files.slow = null;
  for (const read of files.reads.splice(0)) read();
}
