// Groups of one process, with nodes that are made up: who is started, stopped and started anew, and when it is over.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Fleet } from '../../../src/cli/up/fleet.ts';
import { runOptionsOf } from '../../../src/config/run-options.ts';
import type { RunOptions } from '../../../src/config/load.ts';
import { noTransport } from '../../../src/transport/node-transport.ts';
import { temporaryDirectory } from '../../lease/support/fixtures.ts';

/** Nodes that are up, by group; what happens to them in order. */
const { log, end, run } = vi.hoisted(() => {
  const ends = new Map<string, (exitCode: number) => void>();
  const happened: string[] = [];
  class MadeUpRun {
    readonly options: RunOptions;
    readonly ended: Promise<{ exitCode: number }>;
    hasEnded = false;

    constructor(options: RunOptions) {
      this.options = options;
      happened.push(`start ${options.group} ${String(options.priority)}`);
      this.ended = new Promise((resolve) => {
        ends.set(options.group, (exitCode) => {
          this.hasEnded = true;
          happened.push(`end ${options.group}`);
          resolve({ exitCode });
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

/** By name, with the priority that stands for all settings. */
function groups(priorities: Readonly<Record<string, number>>): ReadonlyMap<string, RunOptions> {
  return new Map(
    Object.entries(priorities).map(([group, priority]) => [
      group,
      runOptionsOf({ group, priority, stateDir, command: ['true'] }),
    ]),
  );
}

function fleetOf(priorities: Readonly<Record<string, number>>): Fleet {
  return new Fleet(groups(priorities).values(), { transport: noTransport(), prefix: false });
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

  it('leaves one that has ended by itself as it is, until it is changed', async () => {
    const fleet = fleetOf({ a: 1, b: 1 });
    end.get('a')?.(0);
    await fleet.change(groups({ a: 1, b: 1 }));
    await fleet.change(groups({ a: 3, b: 1 }));
    expect(log).toEqual(['start a 1', 'start b 1', 'end a', 'start a 3']);
  });

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
});
