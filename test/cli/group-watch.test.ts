// Groups that are looked at for many who ask, and followed: what is told of the looks, which are made up.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GroupSnapshot } from '../../src/cli/client.ts';
import { GroupWatch } from '../../src/cli/group-watch.ts';
import type { StoreSight } from '../../src/cli/store-sight.ts';
import { FailoverError } from '../../src/errors.ts';
import type { NumberedEvent } from '../../src/http/groups-source.ts';
import type { StoreEvent } from '../../src/lease/remote-store.ts';
import {
  answering,
  healthyGroup,
  primaryStatus,
  silentNode,
  snapshotOf,
  statusOf,
} from './support/snapshot.ts';

const told = new Map<string, readonly object[]>();

const transition = (to: string, second: number): object => ({
  ...{ from: 'x', to, epoch: 7, reason: to, role: 'primary', takeover: null },
  time: `2026-03-01T12:00:${String(second).padStart(2, '0')}.000Z`,
});

let looks = 0;
let present: GroupSnapshot | Error = healthyGroup();

function watchOf(names: () => readonly string[] = () => ['web']): GroupWatch {
  const watch = new GroupWatch({
    ...{ client: () => ({ stateDir: '/state' }), only: null, list: names },
    ask: ({ node }) => Promise.resolve({ events: told.get(node) ?? [] }),
    look: ({ group }) => {
      looks += 1;
      return present instanceof Error
        ? Promise.reject(present)
        : Promise.resolve({ ...present, group });
    },
  });
  return watch;
}

beforeEach(() => {
  vi.useFakeTimers();
  told.clear();
  looks = 0;
  present = healthyGroup();
});

afterEach(() => {
  vi.useRealTimers();
});

/** In one word each: what it is, and of a transition of whom and to what. */
function worded({ event }: NumberedEvent): string {
  return event.name === 'transition' ? `${event.data.node} ${event.data.to}` : event.name;
}

describe('a status that many ask for', () => {
  it('is one look, for a quarter of a second', async () => {
    const watch = watchOf();
    const all = await Promise.all(Array.from({ length: 1000 }, () => watch.status('web')));
    expect([looks, new Set(all.map(({ primary }) => primary))]).toEqual([1, new Set(['a'])]);
    await watch.status('other');
    expect(looks).toBe(2);
    vi.advanceTimersByTime(249);
    await watch.status('web');
    expect(looks).toBe(2);
    vi.advanceTimersByTime(2);
    await watch.status('web');
    expect(looks).toBe(3);
  });

  it('is an error for as long as well, and then tried again', async () => {
    present = new FailoverError('FAILOVER_STATE_DIR_NOT_A_DIRECTORY', 'It is a file');
    const watch = watchOf();
    await expect(watch.status('web')).rejects.toThrow('It is a file');
    present = healthyGroup();
    vi.advanceTimersByTime(300);
    expect((await watch.status('web')).primary).toBe('a');
  });
});

describe('a group that is followed', () => {
  const following = { after: '0', group: null };

  it('is told as it is, with what its nodes remember, and then each change once', async () => {
    told.set('a', [transition('starting', 1), transition('serving', 3)]);
    told.set('b', [transition('watching', 2)]);
    const watch = watchOf();
    const heard: string[] = [];
    const stop = await watch.follow(following, (one) => heard.push(worded(one)));
    expect(heard).toEqual(['a starting', 'b watching', 'a serving', 'groups', 'status']);
    heard.length = 0;
    await vi.advanceTimersByTimeAsync(1_100);
    expect(heard).toEqual(['pulse', 'pulse']);
    heard.length = 0;
    told.set('b', [transition('watching', 2), transition('claiming', 4)]);
    present = snapshotOf('a', [
      answering(primaryStatus('a')),
      answering(statusOf('b', { phase: 'acquiring', role: 'candidate' })),
    ]);
    await vi.advanceTimersByTimeAsync(500);
    expect(heard).toEqual(['c gone', 'b claiming', 'status']);
    stop();
    const before = looks;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(looks - before).toBeLessThanOrEqual(1);
  });

  it('tells of one that was killed, which can not tell it', async () => {
    told.set('a', [transition('serving', 3)]);
    const watch = watchOf();
    const heard: NumberedEvent[] = [];
    await watch.follow(following, (one) => heard.push(one));
    present = snapshotOf(null, [silentNode('a', 'gone'), answering(statusOf('b'))]);
    await vi.advanceTimersByTimeAsync(500);
    expect(heard.map(worded)).toEqual(expect.arrayContaining(['a gone', 'c gone']));
    const gone = heard.find((one) => worded(one) === 'a gone');
    expect(gone?.event.data).toMatchObject({ from: 'serving', epoch: 7, source: 'watch' });
    watch.close();
  });

  it('tells that one has ended in order only if it has said that it would', async () => {
    told.set('a', [transition('serving', 3)]);
    told.set('b', [transition('watching', 2), transition('stopping', 4)]);
    const watch = watchOf();
    const heard: NumberedEvent[] = [];
    await watch.follow(following, (one) => heard.push(one));
    // All are off the record: the next to start has tidied up.
    present = snapshotOf(null, []);
    await vi.advanceTimersByTimeAsync(500);
    const ends = heard.filter(({ event }) => {
      return event.name === 'transition' && event.data.source === 'watch';
    });
    expect(ends.map(worded).sort()).toEqual(['a gone', 'b stopped', 'c gone']);
    watch.close();
  });

  it('does not tell of one again that could not be seen for a while', async () => {
    told.set('b', [transition('watching', 2)]);
    const watch = watchOf();
    const heard: string[] = [];
    await watch.follow(following, (one) => heard.push(worded(one)));
    const others = healthyGroup().nodes.filter(({ record }) => record.node !== 'b');
    present = snapshotOf('a', [...others, silentNode('b', 'unknown')]);
    await vi.advanceTimersByTimeAsync(1_000);
    present = healthyGroup();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(heard.filter((word) => word.startsWith('b '))).toEqual(['b watching']);
    watch.close();
  });

  it('tells what a server has noted once, also where the server can not be read for a while', async () => {
    const noted = (node: string, second: number): StoreEvent => ({
      ...{ node, action: 'granted', epoch: second, atMs: second * 1000 },
    });
    const read: StoreSight = {
      ...{ kind: 'redis', guards: [], shown: null, observation: null, nodes: [] },
      ...{ events: [noted('far', 1), noted('c', 2)], problem: null },
    };
    const withStore = (store: StoreSight | null): GroupSnapshot => ({ ...healthyGroup(), store });
    present = withStore(read);
    const watch = watchOf();
    const heard: string[] = [];
    await watch.follow(following, (one) => heard.push(worded(one)));
    for (const store of [{ ...read, events: [], problem: 'It does not answer' }, null, read]) {
      present = withStore(store);
      await vi.advanceTimersByTimeAsync(600);
    }
    // What a node here has told itself is not told again once it is off the record.
    present = snapshotOf('a', [answering(primaryStatus('a'))], {
      store: { ...read, events: [noted('far', 3), ...read.events] },
    });
    await vi.advanceTimersByTimeAsync(600);
    expect(heard.filter((word) => word.endsWith(' granted'))).toEqual([
      'far granted',
      'far granted',
    ]);
    watch.close();
  });

  it('tells of one that does not answer, and that it does again', async () => {
    told.set('b', [transition('watching', 2)]);
    const watch = watchOf();
    const heard: NumberedEvent[] = [];
    await watch.follow(following, (one) => heard.push(one));
    const others = healthyGroup().nodes.filter(({ record }) => record.node !== 'b');
    present = snapshotOf('a', [
      ...others,
      silentNode('b', 'unresponsive', 'its process is stopped'),
    ]);
    await vi.advanceTimersByTimeAsync(1_000);
    present = healthyGroup();
    await vi.advanceTimersByTimeAsync(1_000);
    const ofB = heard.flatMap(({ event }) =>
      event.name === 'transition' && event.data.node === 'b' ? [event.data] : [],
    );
    expect(ofB.map(({ to, reason }) => [to, reason])).toEqual([
      ['watching', 'watching'],
      ['unresponsive', 'It does not answer: its process is stopped'],
      ['watching', 'It answers again'],
    ]);
    watch.close();
  });

  it('asks a node now and then that looks the same: what it did may be undone already', async () => {
    const watch = watchOf();
    const heard: string[] = [];
    await watch.follow(following, (one) => heard.push(worded(one)));
    told.set('b', [transition('suspecting', 4), transition('watching', 5)]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(heard.filter((word) => word.startsWith('b '))).toEqual(['b suspecting', 'b watching']);
    watch.close();
  });

  it('is told as a problem once, while it can not be looked at', async () => {
    present = new FailoverError('FAILOVER_STATE_DIR_NOT_A_DIRECTORY', 'It is a file');
    const watch = watchOf();
    const heard: string[] = [];
    await watch.follow({ after: null, group: null }, (one) => heard.push(worded(one)));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(heard).toEqual(['groups', 'problem']);
    present = healthyGroup();
    await vi.advanceTimersByTimeAsync(600);
    expect(heard.slice(0, 3)).toEqual(['groups', 'problem', 'status']);
    watch.close();
  });

  it('is not looked at more often for many who come and go, nor later for one who does', async () => {
    const watch = watchOf();
    const come = async (): Promise<void> => {
      (await watch.follow({ after: null, group: null }, () => undefined))();
    };
    for (let time = 0; time < 100; time += 1) await come();
    expect(looks).toBe(1);
    await vi.advanceTimersByTimeAsync(499);
    await come();
    expect(looks).toBe(1);
    await vi.advanceTimersByTimeAsync(2);
    await come();
    expect(looks).toBe(2);
    await watch.follow({ after: null, group: null }, () => undefined);
    for (let step = 0; step < 50; step += 1) {
      await vi.advanceTimersByTimeAsync(100);
      await come();
    }
    // In five seconds, one each half of a second.
    expect(looks).toBeGreaterThanOrEqual(11);
    expect(looks).toBeLessThanOrEqual(13);
    watch.close();
  });

  it('rests three times as long as a look takes, also when others come meanwhile', async () => {
    let begun = 0;
    const watch = new GroupWatch({
      ...{ client: () => ({ stateDir: '/state' }), only: null, list: () => ['web'] },
      ask: () => Promise.resolve({ events: [] }),
      look: () => {
        begun += 1;
        return new Promise((resolve) => setTimeout(resolve, 2_000, healthyGroup()));
      },
    });
    const follow = (): void => void watch.follow({ after: null, group: null }, () => undefined);
    follow();
    await vi.advanceTimersByTimeAsync(2_100);
    follow();
    await vi.advanceTimersByTimeAsync(5_800);
    follow();
    await vi.advanceTimersByTimeAsync(50);
    expect(begun).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(begun).toBe(2);
    watch.close();
  });

  it('is not waited for any more once the watch is closed', async () => {
    const watch = new GroupWatch({
      ...{ client: () => ({ stateDir: '/state' }), only: null, list: () => ['web'] },
      look: ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            reject(new Error('ended'));
          });
        }),
    });
    const heard: string[] = [];
    const following = watch.follow({ after: null, group: null }, (one) => heard.push(worded(one)));
    const status = watch.status('web');
    watch.close();
    await expect(status).rejects.toThrow('ended');
    await following;
    expect([heard, vi.getTimerCount()]).toEqual([['groups'], 0]);
  });

  it('is looked at soon after something happened here, and groups that come are told', async () => {
    let names = ['web'];
    const watch = watchOf(() => names);
    const heard: string[] = [];
    await watch.follow({ after: null, group: 'web' }, (one) => heard.push(worded(one)));
    heard.length = 0;
    names = ['web', 'more'];
    watch.nudge();
    await vi.advanceTimersByTimeAsync(60);
    // That of the other is not told to who follows the one.
    expect(heard).toEqual(['groups', 'pulse']);
    watch.close();
  });
});
