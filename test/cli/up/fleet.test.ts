// Groups of one process, with nodes that are made up: who is started, stopped and started anew, and when it is over.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fleet } from '../../../src/cli/up/fleet.ts';
import { runOptionsOf } from '../../../src/config/run-options.ts';
import type { RunOptions } from '../../../src/config/load.ts';
import { noTransport } from '../../../src/transport/node-transport.ts';
import { temporaryDirectory } from '../../lease/support/fixtures.ts';

/** Nodes that are up, by group; what happens to them in order. */
const { log, end, run } = vi.hoisted(() => {
  const ends = new Map<string, (exitCode: number, why?: string) => void>();
  const happened: string[] = [];
  class MadeUpRun {
    readonly options: RunOptions;
    readonly ended: Promise<{ exitCode: number; why: string }>;
    readonly begun = Promise.resolve();
    readonly hasBegun = true;
    hasEnded = false;

    constructor(options: RunOptions) {
      this.options = options;
      happened.push(`start ${options.group} ${String(options.priority)}`);
      this.ended = new Promise((resolve) => {
        ends.set(options.group, (exitCode, why = 'in order') => {
          this.hasEnded = true;
          happened.push(`end ${options.group}`);
          resolve({ exitCode, why });
        });
      });
    }

    stop({ immediate = false }: { readonly immediate?: boolean }): void {
      happened.push(`${immediate ? 'kill' : 'stop'} ${this.options.group}`);
    }
  }
  return { log: happened, end: ends, run: MadeUpRun };
});

vi.mock('../../../src/cli/up/group-run.ts', () => ({ GroupRun: run }));

let stateDir = '';

beforeEach(() => {
  stateDir = temporaryDirectory();
  log.length = 0;
});

afterEach(() => {
  vi.useRealTimers();
});

/** By name, with the priority that stands for all settings. */
function groups(priorities: Readonly<Record<string, number>>): ReadonlyMap<string, RunOptions> {
  return new Map(
    Object.entries(priorities).map(([group, priority]) => [
      group,
      runOptionsOf({ group, priority, stateDir, command: ['true'] }),
    ]),
  );
}

function fleetOf(
  priorities: Readonly<Record<string, number>>,
  onRetry?: (group: string, waitMs: number) => void,
): Fleet {
  const shared = { transport: noTransport(), prefix: false, listener: null };
  return new Fleet(groups(priorities).values(), {
    ...shared,
    ...(onRetry === undefined ? {} : { onRetry }),
  });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a fleet', () => {
  it('is over when all have ended, with the first code that is not 0', async () => {
    const fleet = fleetOf({ a: 1, b: 1, c: 1 });
    end.get('b')?.(7);
    end.get('c')?.(9);
    await turn();
    expect(fleet.size).toBe(1);
    end.get('a')?.(0);
    expect(await fleet.ended).toBe(7);
  });

  it('starts a group that has changed once it has ended, and leaves the others alone', async () => {
    const fleet = fleetOf({ a: 1, b: 1 });
    const changed = fleet.change(groups({ a: 2, b: 1 }));
    await turn();
    expect(log).toEqual(['start a 1', 'start b 1', 'stop a']);
    end.get('a')?.(0);
    await changed;
    expect(log.slice(3)).toEqual(['end a', 'start a 2']);
    expect(fleet.size).toBe(2);
  });

  it('starts what is new once what is gone has ended: it may be the same under another name', async () => {
    const fleet = fleetOf({ a: 1 });
    const changed = fleet.change(groups({ z: 1 }));
    await turn();
    expect(log).toEqual(['start a 1', 'stop a']);
    end.get('a')?.(0);
    await changed;
    expect(log.slice(2)).toEqual(['end a', 'start z 1']);
    end.get('z')?.(0);
    expect(await fleet.ended).toBe(0);
  });

  it('has the names of its file, and says of each why it has no node', async () => {
    const fleet = fleetOf({ a: 1, b: 1 });
    expect([fleet.names, fleet.names === fleet.names]).toEqual([['a', 'b'], true]);
    expect(fleet.absence('a')).toBe('starting');
    end.get('a')?.(0);
    await turn();
    expect(fleet.absence('a')).toBe('ended');
    const changed = fleet.change(groups({ a: 1, c: 1 }));
    end.get('b')?.(0);
    await changed;
    expect(fleet.names).toEqual(['a', 'c']);
    expect(fleet.isEnding).toBe(false);
    fleet.stop({ reason: 'SIGTERM' });
    expect(fleet.isEnding).toBe(true);
  });

  it('leaves one that has ended by itself as it is, until it is changed', async () => {
    const fleet = fleetOf({ a: 1, b: 1 });
    end.get('a')?.(0);
    await fleet.change(groups({ a: 1, b: 1 }));
    await fleet.change(groups({ a: 3, b: 1 }));
    expect(log).toEqual(['start a 1', 'start b 1', 'end a', 'start a 3']);
  });

  it.each(['not started', 'internal error'])('tries again what ended with: %s', async (why) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const told: [string, number][] = [];
    const fleet = fleetOf({ a: 1, b: 1 }, (...retry) => told.push(retry));
    const starts = (): number => log.filter((line) => line === 'start a 1').length;
    const waitsMs = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    for (const [index, waitMs] of waitsMs.entries()) {
      end.get('a')?.(1, why);
      await turn();
      expect(fleet.notRunning).toEqual(['a']);
      expect([fleet.absence('a'), told.length, told.at(-1)?.[0]]).toEqual([
        'failed',
        index + 1,
        'a',
      ]);
      expect(told.at(-1)?.[1]).toBeGreaterThanOrEqual(0.75 * waitMs);
      expect(told.at(-1)?.[1]).toBeLessThanOrEqual(waitMs);
      vi.advanceTimersByTime(0.75 * waitMs - 1);
      expect(starts()).toBe(index + 1);
      vi.advanceTimersByTime(0.25 * waitMs + 1);
      expect(starts()).toBe(index + 2);
    }
    expect(fleet.notRunning).toEqual([]);
    end.get('a')?.(1, why);
    await turn();
    fleet.stop({ reason: 'SIGTERM' });
    expect(vi.getTimerCount()).toBe(0);
    end.get('b')?.(0);
    expect(await fleet.ended).toBe(1);
  });

  it.each([2, 126, 127])(
    'tries one with exit code %s again at each new file only',
    async (code) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const fleet = fleetOf({ a: 1, b: 1 });
      end.get('a')?.(code, 'not started');
      await turn();
      expect(vi.getTimerCount()).toBe(0);
      const same = groups({ a: 1, b: 1 });
      expect(fleet.differences(same)).toEqual({ started: [], stopped: [], restarted: ['a'] });
      await fleet.change(same);
      expect(log.filter((line) => line === 'start a 1')).toHaveLength(2);
      expect(fleet.differences(same).restarted).toEqual([]);
      end.get('a')?.(0);
      end.get('b')?.(0);
      expect(await fleet.ended).toBe(0);
    },
  );

  it('starts nothing any more once it was told to stop, in the middle of a change', async () => {
    const fleet = fleetOf({ a: 1, b: 1 });
    const changed = fleet.change(groups({ a: 2, c: 1 }));
    await turn();
    fleet.stop({ reason: 'SIGTERM' });
    fleet.stop({ reason: 'again', immediate: true });
    end.get('a')?.(0);
    end.get('b')?.(0);
    await changed;
    expect(await fleet.ended).toBe(0);
    expect(log.filter((line) => line.startsWith('start'))).toEqual(['start a 1', 'start b 1']);
    expect(log).toContain('kill b');
  });

  it('is not over while a file is read that may start something, though the last one has ended', async () => {
    const fleet = fleetOf({ a: 1 });
    const over = vi.fn();
    void fleet.ended.then(over);
    let isRead: () => void = () => undefined;
    const reading = new Promise<void>((resolve) => {
      isRead = resolve;
    });
    const reload = fleet.untilDone(async () => {
      await reading;
      await fleet.change(groups({ a: 1, b: 1 }));
    });
    end.get('a')?.(0);
    await turn();
    expect(over).not.toHaveBeenCalled();
    isRead();
    await reload;
    expect(log).toContain('start b 1');
    expect(over).not.toHaveBeenCalled();
    end.get('b')?.(0);
    expect(await fleet.ended).toBe(0);
  });

  it('starts nothing once it is over: what the groups share is closed', async () => {
    const fleet = fleetOf({ a: 1 });
    end.get('a')?.(0);
    await fleet.ended;
    await fleet.untilDone(() => fleet.change(groups({ a: 1, b: 1 })));
    await fleet.change(groups({ a: 1, b: 1 }));
    expect(log).toEqual(['start a 1', 'end a']);
  });
});
