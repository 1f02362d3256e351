// Nodes that share real files, and stand still before and after any call to them, for as long as several leases last:
// at random, in virtual time. Whatever comes between what, no two have the lease, and epochs rise.
import type * as promises from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import type { RemoteStore } from '../../../src/lease/remote-store.ts';
import { timedFileLease } from '../../../src/lease/timed-file/timed-file-lease.ts';
import { addressOf, ledBefore } from '../../contracts/support/shared-directory.ts';
import { recordOf } from '../../contracts/support/stage.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

const machine = vi.hoisted(() => {
  const world = { at: 0, random: 1, isOn: false, calls: 0 };
  const standing: { readonly at: number; readonly goOn: () => void }[] = [];
  const draw = (): number => {
    world.random = (Math.imul(world.random, 1_664_525) + 1_013_904_223) >>> 0;
    return world.random / 2 ** 32;
  };
  /** Time passes when all stand: no call takes any. */
  const pass = (forMs: number): Promise<void> =>
    new Promise((resolve) => {
      standing.push({ at: world.at + forMs, goOn: resolve });
    });
  const next = (): void => {
    if (world.isOn && world.calls > 0) return;
    standing.sort((a, b) => b.at - a.at);
    const first = standing.pop();
    if (first === undefined) return;
    world.at = Math.max(world.at, first.at);
    first.goOn();
  };
  /** Goes on until the world is off and nobody stands any more. */
  const run = async (): Promise<void> => {
    while (world.isOn || standing.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      next();
    }
  };
  /** Now and then so long that a lease ends meanwhile. */
  const stand = async (): Promise<void> => {
    if (!world.isOn) return;
    const chance = draw();
    const longMs = chance < 0.002 ? 2_000 : 700;
    await pass(chance < 0.02 ? draw() * longMs : draw() * 3);
  };
  const slow =
    <Given extends unknown[], Answer>(act: (...given: Given) => Promise<Answer>) =>
    async (...given: Given): Promise<Answer> => {
      await stand();
      world.calls += 1;
      try {
        return await act(...given);
      } finally {
        world.calls -= 1;
        await stand();
      }
    };
  return { world, draw, pass, run, slow };
});

vi.mock('node:fs/promises', async (importOriginal) => {
  const { slow } = machine;
  const original = await importOriginal<typeof promises>();
  const slowHandle = (file: FileHandle): unknown => ({
    read: slow((...given: Parameters<FileHandle['read']>) => file.read(...given)),
    write: slow((...given: Parameters<FileHandle['write']>) => file.write(...given)),
    writeFile: slow((...given: Parameters<FileHandle['writeFile']>) => file.writeFile(...given)),
    // No power is lost here.
    sync: () => Promise.resolve(),
    close: slow(() => file.close()),
  });
  return {
    ...original,
    link: slow(original.link),
    mkdir: slow(original.mkdir),
    readdir: slow(original.readdir),
    readFile: slow(original.readFile),
    rename: slow(original.rename),
    rm: slow(original.rm),
    stat: slow(original.stat),
    open: slow(async (...given: Parameters<typeof promises.open>) =>
      slowHandle(await original.open(...given)),
    ),
  };
});

const TTL_MS = 600;
const { world, draw, pass, run } = machine;

/** As the core has it: counted from before the request, and an answer that comes when it is over renews nothing. */
class Node {
  readonly store: RemoteStore;
  epoch = 0;
  /** On the clock of the world. */
  heldUntil = 0;
  readonly #skewMs: number = (draw() - 0.5) * 1e9;

  constructor(directory: string, name: string) {
    const times = { ttlMs: TTL_MS, requestTimeoutMs: 60_000, now: () => world.at + this.#skewMs };
    const about = { address: addressOf(directory), group: 'g', record: recordOf(name) };
    this.store = timedFileLease({ ...about, ...times });
  }

  holds(): boolean {
    return this.heldUntil > world.at;
  }

  async step(): Promise<'granted' | 'advanced' | 'other'> {
    if (!this.holds()) {
      const outcome = await this.store.acquire(0);
      if (outcome.type !== 'granted' || outcome.granted === null) {
        await pass(draw() * 100);
        return 'other';
      }
      this.#count(outcome.granted.askedAt);
      this.epoch = outcome.epoch;
      return this.holds() ? 'granted' : 'other';
    }
    const what = draw();
    if (what < 0.1) {
      this.heldUntil = 0;
      await this.store.release();
    } else if (what < 0.2) {
      // Its end is seen by nobody but the others: by time.
      this.heldUntil = 0;
    } else if (what < 0.3) {
      const epoch = await this.store.advanceEpoch(0).catch(() => null);
      if (epoch === null || !this.holds()) return 'other';
      this.epoch = epoch;
      return 'advanced';
    } else {
      const outcome = await this.store.renew(60_000);
      if (outcome.type === 'renewed' && this.holds()) this.#count(outcome.askedAt);
      else this.heldUntil = 0;
    }
    return 'other';
  }

  #count(askedAt: number): void {
    this.heldUntil = askedAt - this.#skewMs + TTL_MS * 0.995;
  }
}

it.each([2, 3])(
  'never give the lease to two: round %i',
  async (round) => {
    Object.assign(world, { at: 0, random: round, isOn: true });
    const running = run();
    const directory = temporaryDirectory();
    ledBefore(directory, 'g');
    const nodes = ['a', 'b', 'c', 'd'].map((name) => new Node(directory, name));
    await Promise.all(nodes.map((node) => node.store.begin()));
    const faults: string[] = [];
    let [grants, highest] = [0, 0];
    const judge = (node: Node): void => {
      const others = nodes.filter((other) => other !== node && other.holds());
      if (node.holds() && others.length > 0) faults.push(`two at ${String(world.at)}`);
    };
    const live = async (node: Node): Promise<void> => {
      while (grants < GRANTS && faults.length === 0) {
        const what = await node.step();
        judge(node);
        if (what === 'other') continue;
        grants += 1;
        if (node.epoch <= highest) faults.push(`epoch ${String(node.epoch)} again`);
        highest = Math.max(highest, node.epoch);
      }
    };
    try {
      await Promise.all(nodes.map(live));
      expect(faults).toEqual([]);
      expect(grants).toBeGreaterThanOrEqual(GRANTS);
    } finally {
      world.isOn = false;
      await running;
      await Promise.all(nodes.map((node) => node.store.close()));
    }
  },
  60_000,
);

/** Enough for some dozens of calls at which somebody stands still. */
const GRANTS = 15;
