// Links between processes: one for all groups, and its loss told at once, once, and to everyone.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  beatUntilHeard,
  eventually,
  heartbeat,
  openNode,
  openTransport,
  publishUntil,
  standbyInfo,
  startPeer,
  temporaryDirectory,
} from './support/nodes.ts';

describe('a link', () => {
  it('shares one connection between the groups of two processes, until the last one leaves', async () => {
    const directory = temporaryDirectory();
    const [primaries, followers] = [openTransport(directory), openTransport(directory)];
    const pairs = ['one', 'two', 'three'].map((group) => {
      const primary = openNode(primaries, 'a', { group });
      const follower = openNode(followers, 'b', { group });
      follower.bus.follow(primary.holder);
      return { primary, follower };
    });
    for (const { primary, follower } of pairs) await beatUntilHeard(primary, follower);
    expect(followers.linkCount).toBe(1);
    for (const { follower } of pairs) {
      expect(followers.linkCount).toBe(1);
      await follower.bus.close();
    }
    expect(followers.linkCount).toBe(0);
    expect(followers.counters().rejected['foreign-group']).toBe(0);
  });
});

describe('the loss of the connection', () => {
  it('is told once, and at once, when the process is killed', async () => {
    const directory = temporaryDirectory();
    const follower = openNode(openTransport(directory), 'b');
    const { child, holder } = await startPeer(directory);
    follower.bus.follow(holder);
    await eventually(() => {
      expect(follower.events.length).toBeGreaterThan(0);
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await eventually(() => {
      expect(follower.events).toContainEqual({ type: 'connection-lost', run: holder.run });
    });
    await expect(
      follower.bus.probe({ timeoutMs: 60_000, standby: standbyInfo() }),
    ).rejects.toMatchObject({ code: 'FAILOVER_NODE_UNREACHABLE' });
    const losses = follower.events.filter((event) => event.type === 'connection-lost');
    expect(losses).toHaveLength(1);
  });

  it('is told to every group that followed a node of that process', async () => {
    const directory = temporaryDirectory();
    const primaries = openTransport(directory);
    const followers = openTransport(directory);
    const nodes = ['one', 'two'].map((group) => {
      const primary = openNode(primaries, 'a', { group, run: `${group}-run` });
      const follower = openNode(followers, 'b', { group });
      follower.bus.follow(primary.holder);
      return { primary, follower };
    });
    for (const { primary, follower } of nodes) await beatUntilHeard(primary, follower);
    await primaries.close();
    for (const { primary, follower } of nodes) {
      await eventually(() => {
        expect(follower.events).toContainEqual({
          type: 'connection-lost',
          run: primary.holder.run,
        });
      });
    }
  });

  it('is told when nobody was there to begin with, also to a group that comes later', async () => {
    const directory = temporaryDirectory();
    const transport = openTransport(directory);
    const gone = {
      node: 'a',
      run: 'a-run',
      endpoints: { bus: `ipc://${directory}/none.bus`, rpc: `ipc://${directory}/none.rpc` },
    };
    for (const group of ['one', 'two']) {
      const node = openNode(transport, 'b', { group });
      node.bus.follow(gone);
      await eventually(() => {
        expect(node.events).toEqual([{ type: 'connection-lost', run: 'a-run' }]);
      });
    }
  });

  it('is told to many in turns, to each once and to none that has left meanwhile', async () => {
    const directory = temporaryDirectory();
    const transport = openTransport(directory);
    const endpoints = { bus: `ipc://${directory}/none.bus`, rpc: `ipc://${directory}/none.rpc` };
    const told: string[] = [];
    let toldInFirstTurn = 0;
    const onEvent = (group: string): void => {
      told.push(group);
      if (told.length > 1) return;
      void nodes.at(-1)?.bus.close();
      setImmediate(() => {
        toldInFirstTurn = told.length;
      });
    };
    const groups = Array.from({ length: 200 }, (_, i) => `g${String(i)}`);
    const nodes = groups.map((group) =>
      openNode(transport, 'b', {
        group,
        onEvent: () => {
          onEvent(group);
        },
      }),
    );
    for (const node of nodes) node.bus.follow({ node: 'a', run: 'a-run', endpoints });
    await eventually(() => {
      expect(told).toHaveLength(groups.length - 1);
    });
    expect(toldInFirstTurn).toBeGreaterThan(0);
    expect(toldInFirstTurn).toBeLessThan(groups.length / 2);
    expect(told).toStrictEqual(groups.slice(0, -1));
  });

  it('may be answered by following another node from within the event', async () => {
    const directory = temporaryDirectory();
    const first = openNode(openTransport(directory), 'a');
    const second = openNode(openTransport(directory), 'c');
    const heard: string[] = [];
    const transport = openTransport(directory);
    const follower = openNode(transport, 'b', {
      onEvent: (event) => {
        heard.push(`${event.type} ${'run' in event ? event.run : ''}`);
        if (event.type === 'connection-lost') follower.bus.follow(second.holder);
      },
    });
    follower.bus.follow(first.holder);
    await publishUntil(
      () => {
        first.bus.publish(heartbeat());
      },
      () => heard.length > 0,
    );
    await first.transport.close();
    await publishUntil(
      () => {
        second.bus.publish(heartbeat());
      },
      () => heard.includes('heartbeat-received c-run'),
    );
    expect(heard.filter((event) => event.startsWith('connection-lost'))).toEqual([
      'connection-lost a-run',
    ]);
    expect(transport.linkCount).toBe(1);
  });
});
