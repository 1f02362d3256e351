// Those who follow events over HTTP: what they are told, what they missed, how many there may be, and who does not read.
import { IncomingMessage, request, ServerResponse } from 'node:http';
import { connect, Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EventClients } from '../../src/http/event-clients.ts';
import { EventFeed } from '../../src/http/event-feed.ts';
import { openHttpServer } from '../../src/http/server.ts';
import type { HttpServerParts } from '../../src/http/server.ts';
import { until } from '../support/until.ts';
import { fakeGroups, transitionTo } from './support/groups.ts';
import type { FakeGroups } from './support/groups.ts';

interface Started {
  readonly port: number;
  readonly groups: FakeGroups;
  readonly metrics: () => Promise<string>;
}

async function start(eventLimits?: HttpServerParts['eventLimits']): Promise<Started> {
  const groups = fakeGroups();
  const server = await openHttpServer(
    { host: '127.0.0.1', port: 0 },
    {
      ...{ groups, token: null, tokenHint: '' },
      metrics: { type: 'text/plain', text: () => Promise.resolve('') },
      ...(eventLimits === undefined ? {} : { eventLimits }),
    },
  );
  onTestFinished(server.close);
  const metrics = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();
  return { port: Number(new URL(server.url).port), groups, metrics };
}

interface Follower {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly heard: () => string;
  readonly isOver: () => boolean;
  readonly leave: () => void;
}

function follow(port: number, path = '/events', headers = {}): Promise<Follower> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
      let [heard, isOver] = ['', false];
      answer.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
      answer.on('error', () => undefined).on('close', () => (isOver = true));
      const leave = (): void => {
        asked.destroy();
      };
      onTestFinished(leave);
      const { statusCode: status = 0, headers: told } = answer;
      resolve({ status, headers: told, leave, heard: () => heard, isOver: () => isOver });
    });
    asked.on('error', reject);
    asked.end();
  });
}

const idsIn = (text: string): readonly string[] =>
  [...text.matchAll(/^id: (.+)$/gm)].map(([, id = '']) => id);

const phasesIn = (text: string): readonly string[] =>
  [...text.matchAll(/"to":"(\w+)"/g)].map(([, to = '']) => to);

describe('who follows events', () => {
  it('is told of each as it happens', async () => {
    const { port, groups } = await start();
    const one = await follow(port);
    expect([one.status, one.headers['content-type']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    await until('the groups', () => one.heard().includes('event: groups'));
    expect(one.heard()).toContain('data: {"groups":["g"]}\n\n');
    groups.feed.publish(transitionTo('serving', 'a\nline'));
    await until('it', () => one.heard().includes('serving'));
    expect(one.heard()).toMatch(
      /\n\nid: \S+\nevent: transition\ndata: \{.*"reason":"a\\nline".*\}\n\n$/,
    );
  });

  it('resumes after the last that it heard, and is told all that is remembered after one of another life', async () => {
    const { port, groups } = await start();
    const first = await follow(port);
    await until('the groups', () => first.heard().includes('groups'));
    for (const to of ['one', 'two', 'three']) groups.feed.publish(transitionTo(to));
    await until('three', () => first.heard().includes('three'));
    const [, second = ''] = idsIn(first.heard()).slice(-3);
    const phasesAfter = async (path: string, headers = {}): Promise<readonly string[]> => {
      const one = await follow(port, path, headers);
      await until('the groups', () => one.heard().includes('event: groups'));
      return phasesIn(one.heard());
    };
    expect(await phasesAfter('/events', { 'last-event-id': second })).toEqual(['three']);
    expect(await phasesAfter(`/groups/g/events?after=${second}`)).toEqual(['three']);
    for (const unknown of ['0', 'other-7', '../', '%00']) {
      expect(await phasesAfter(`/events?after=${unknown}`)).toEqual(['one', 'two', 'three']);
    }
    expect(await phasesAfter('/events')).toEqual([]);
  });

  it('knows where to resume also if nothing happened while it was there', async () => {
    const { port, groups } = await start();
    groups.feed.publish(transitionTo('before'));
    const first = await follow(port);
    await until('the groups', () => first.heard().includes('groups'));
    first.leave();
    groups.feed.publish(transitionTo('between'));
    const again = await follow(port, '/events', { 'last-event-id': idsIn(first.heard()).at(-1) });
    await until('the groups', () => again.heard().includes('groups'));
    expect(phasesIn(again.heard())).toEqual(['between']);
  });

  it('has a connection of its own: what is asked behind it is refused, and nobody stays when it ends', async () => {
    const { port, groups } = await start();
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write('GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(2));
    await until('the one', () => groups.feed.listeners >= 1);
    const metricsText = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text();
    const refused = 'failover_http_requests_total{path="/events",status="503"} 1';
    await expect.poll(metricsText).toContain(refused);
    expect(await metricsText()).toContain('failover_http_event_clients 1');
    socket.destroy();
    await until('nobody', () => groups.feed.listeners === 0);
    expect(await metricsText()).toContain('failover_http_event_clients 0');
  });

  it('is no page of another site', async () => {
    const { port } = await start();
    expect((await follow(port, '/events', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  it('is one of a hundred at most, and a thousand more leave the checks alone', async () => {
    const { port, groups, metrics } = await start();
    const followers = await Promise.all(Array.from({ length: 100 }, () => follow(port)));
    expect(followers.every(({ status }) => status === 200)).toBe(true);
    const more: number[] = [];
    for (let batch = 0; batch < 20; batch += 1) {
      const asked = await Promise.all(Array.from({ length: 50 }, () => follow(port)));
      more.push(...asked.map(({ status }) => status));
      expect(asked[0]?.headers).toMatchObject({ 'retry-after': '10', connection: 'close' });
      expect((await fetch(`http://127.0.0.1:${String(port)}/groups`)).status).toBe(200);
    }
    expect(new Set(more)).toEqual(new Set([503]));
    expect(await metrics()).toContain('failover_http_event_clients 100');
    expect(groups.feed.listeners).toBe(100);
    followers[0]?.leave();
    await until('room', () => groups.feed.listeners === 99);
    expect((await follow(port)).status).toBe(200);
  });

  it('is told all that is remembered of many groups when it comes, which is much at once', async () => {
    const { port, groups } = await start();
    const reason = 'x'.repeat(2000);
    for (let index = 0; index < 2000; index += 1) {
      const event = transitionTo('serving', reason);
      if (event.name !== 'transition') throw new Error('another event');
      groups.feed.publish({ ...event, group: `g${String(index % 20)}` });
    }
    const one = await follow(port, '/events?after=0');
    await until('the groups', () => one.heard().includes('event: groups') || one.isOver());
    expect(phasesIn(one.heard())).toHaveLength(2000);
    groups.feed.publish(transitionTo('again'));
    await until('the next', () => one.heard().includes('"again"'));
  });

  it('is cut off if it never reads, and what waits for it meanwhile is bounded', async () => {
    const { port, groups, metrics } = await start({ clients: 100, waiting: 500 });
    const reader = await follow(port);
    const deaf = connect(port, '127.0.0.1');
    let isOver = false;
    deaf.on('error', () => undefined).on('close', () => (isOver = true));
    deaf.pause();
    deaf.write('GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await until('both', () => groups.feed.listeners === 2);
    const long = 'x'.repeat(16 * 1024);
    let published = 0;
    await until('the end of the one', () => {
      groups.feed.publish(transitionTo('again', long));
      published += 1;
      return groups.feed.listeners === 1;
    });
    deaf.resume();
    await until('its end', () => isOver);
    // What the system takes for a connection, and 500 events.
    expect(published * long.length).toBeLessThan(32 * 1024 * 1024);
    await until('the rest', () => phasesIn(reader.heard()).length === published);
    expect(await metrics()).toContain('failover_http_event_clients_cut_off_total 1');
  });
});

describe('a connection on which nothing happens', () => {
  it('has a sign every 10 s that a page can hear, for as long as somebody is there', async () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const groups = fakeGroups();
    const counts: number[] = [];
    const clients = new EventClients({
      ...{ groups, onCutOff: () => undefined },
      onCount: (count) => void counts.push(count),
    });
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const written: string[] = [];
    vi.spyOn(response, 'write').mockImplementation((chunk: unknown) => {
      written.push(String(chunk));
      return true;
    });
    clients.add(response, { after: null, group: null });
    await vi.advanceTimersByTimeAsync(29_000);
    expect(written.filter((text) => text === 'event: here\ndata: {}\n\n')).toHaveLength(2);
    response.emit('close');
    expect([counts, vi.getTimerCount(), groups.feed.listeners]).toEqual([[1, 0], 0, 0]);
  });
});

describe('a connection that takes nothing any more', () => {
  it('is cut off after half a minute, and never one that takes something now and then', async () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const groups = fakeGroups();
    let cutOff = 0;
    const clients = new EventClients({
      ...{ groups, onCount: () => undefined },
      onCutOff: () => (cutOff += 1),
    });
    const [slow, deaf] = [0, 1].map(() => {
      const response = new ServerResponse(new IncomingMessage(new Socket()));
      vi.spyOn(response, 'write').mockReturnValue(false);
      clients.add(response, { after: null, group: null });
      return response;
    });
    for (let second = 0; second < 60; second += 5) {
      await vi.advanceTimersByTimeAsync(5_000);
      if (second % 20 === 0) slow?.emit('drain');
    }
    expect([cutOff, slow?.destroyed, deaf?.destroyed]).toEqual([1, false, true]);
    clients.close();
  });
});

describe('the memory of events', () => {
  const toldBy = (feed: EventFeed): readonly string[] =>
    feed
      .after('0')
      .flatMap(({ event }) => (event.name === 'transition' ? [event.group + event.data.to] : []));

  const publish = (feed: EventFeed, group: string, to: string): void => {
    const event = transitionTo(to);
    if (event.name === 'transition') feed.publish({ ...event, group });
  };

  it('is of the latest of each group: one of which there are many leaves the others alone', () => {
    const feed = new EventFeed({ ofGroup: 2, inAll: 100 });
    publish(feed, 'quiet', '0');
    for (const to of ['1', '2', '3']) publish(feed, 'g', to);
    publish(feed, 'quiet', '4');
    expect(toldBy(feed)).toEqual(['quiet0', 'g2', 'g3', 'quiet4']);
  });

  it('is bounded also where there are many groups: that of which there are most gives way', () => {
    const feed = new EventFeed({ ofGroup: 10, inAll: 4 });
    for (const group of ['a', 'b', 'b', 'b', 'c', 'd', 'e', 'f']) publish(feed, group, '');
    expect(toldBy(feed)).toEqual(['c', 'd', 'e', 'f']);
  });
});
