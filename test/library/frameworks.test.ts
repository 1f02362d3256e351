// The middleware does the same in each framework that it is for, over real HTTP.
import { Agent } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LeaderProvider } from '../../src/library/leader-provider.ts';
import { PeersElection } from '../../src/library/peers-election.ts';
import { until } from '../support/until.ts';
import { FRAMEWORKS, NODE_FRAMEWORKS } from './support/framework-apps.ts';
import type { AppOptions, Framework } from './support/framework-apps.ts';
import { send, serve } from './support/http-servers.ts';
import type { HttpAnswer } from './support/http-servers.ts';
import { SECRET } from './support/peers.ts';

const ORDER = { item: 'tea', pieces: 2 };
const NOWHERE = 'http://127.0.0.1:1';

describe.each(FRAMEWORKS)('$framework', ({ start }) => {
  it('serves all itself while it leads', async () => {
    const url = await leading(start);
    const answer = await post(`${url}/orders?by=me`);
    expect(told(answer)).toMatchObject({ ...BY_LEADER, url: '/orders?by=me', client: null });
  });

  it('redirects a write to the leader, with path and query, and takes reads itself', async () => {
    const url = await following(start, 'http://leader.example:8080/base');
    const answer = await post(`${url}/orders?by=me`);
    expect([answer.status, answer.headers.location, answer.body]).toEqual([
      307,
      'http://leader.example:8080/base/orders?by=me',
      '',
    ]);
    expect(told(await send(`${url}/orders`))).toMatchObject({ by: 'follower', method: 'GET' });
  });

  it('leads a client that follows to the leader, with its body', async () => {
    const url = await following(start, await leading(start));
    const answer = await fetch(`${url}/orders`, { ...POST, body: JSON.stringify(ORDER) });
    expect(await answer.json()).toMatchObject({ ...BY_LEADER, url: '/orders' });
  });

  it('hands a write on to the leader, also where what reads bodies comes behind it', async () => {
    const leader = await leading(start);
    const url = await following(start, leader, { mode: 'proxy' });
    const answer = await post(`${url}/orders?by=me`);
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
    expect(told(answer)).toMatchObject({ ...BY_LEADER, url: '/orders?by=me' });
    expect(told(await send(`${url}/orders`))).toMatchObject({ by: 'follower' });
  });

  it('hands on a long body whole, and the next request of its connection', async () => {
    const url = await following(start, await leading(start), { mode: 'proxy' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => {
      agent.destroy();
    });
    for (const note of ['x'.repeat(80_000), 'y'.repeat(80_000)]) {
      const answer = await post(url, { note }, agent);
      expect(told(answer)).toMatchObject({ by: 'leader', body: { note } });
    }
  });

  it('asks to come again while no leader is known', async () => {
    const url = await following(start, null);
    const answer = await post(`${url}/orders`);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(told(await send(url))).toMatchObject({ by: 'follower' });
  });

  it('forwards no heartbeat', async () => {
    for (const mode of ['redirect', 'proxy'] as const) {
      const url = await following(start, NOWHERE, { mode });
      const answer = await post(`${url}/_ha/heartbeat`);
      expect(told(answer)).toMatchObject({ by: 'follower', body: ORDER });
    }
  });

  it('refuses a write that goes in a circle', async () => {
    const others = follower(null);
    const one = await start(others, { ...DEFAULTS, mode: 'proxy' });
    const two = await following(start, one, { mode: 'proxy' });
    others.target = two;
    expect((await post(one)).status).toBe(508);
    others.target = one;
    expect((await post(one)).status).toBe(508);
  });

  it('redirects nobody to itself', async () => {
    const leader = follower(null);
    const url = await start(leader, DEFAULTS);
    leader.target = url;
    expect((await post(url)).status).toBe(503);
  });

  it('says so when the leader can not be reached', async () => {
    const url = await following(start, NOWHERE, { mode: 'proxy' });
    expect((await post(url)).status).toBe(502);
  });

  it('does not go on with a write whose client has gone', async () => {
    let hasCome = false;
    let hasEnded = false;
    const leader = await serve((request) => {
      hasCome = true;
      request.socket.on('close', () => {
        hasEnded = true;
      });
    });
    const url = await following(start, leader.url, { mode: 'proxy' });
    const client = new AbortController();
    const sent = fetch(url, { ...POST, body: '{}', signal: client.signal });
    await until('the leader to be asked', () => hasCome);
    client.abort();
    await expect(sent).rejects.toThrow();
    await until('the leader to be left alone', () => hasEnded);
  });
});

describe.each(FRAMEWORKS)('$framework, when bodies are read before', ({ start }) => {
  it('redirects all the same', async () => {
    const url = await following(start, NOWHERE, { readsFirst: true });
    expect((await post(`${url}/orders`)).headers.location).toBe(`${NOWHERE}/orders`);
  });

  it('says what is wrong instead of handing a write on without its body', async () => {
    const leader = await leading(start);
    const url = await following(start, leader, { mode: 'proxy', readsFirst: true });
    const answer = await post(url);
    expect([answer.status, answer.body]).toEqual([
      500,
      'Cannot forward this request to the leader: its body was already read; ' +
        'put the middleware before anything that reads bodies\n',
    ]);
  });
});

describe.each(NODE_FRAMEWORKS)('$framework, with an election', ({ start }) => {
  it('takes heartbeats, and a write arrives at whoever leads', async () => {
    const elections: (PeersElection | null)[] = [null, null];
    const urls = await Promise.all(
      elections.map((_, index) => {
        // An election knows all addresses from the start on, and those are known once all serve.
        const later: LeaderProvider = {
          isLeader: () => elections[index]?.isLeader() ?? false,
          redirectTarget: () => elections[index]?.redirectTarget() ?? null,
          handleHeartbeat: (request, response) =>
            elections[index]?.handleHeartbeat(request, response) ?? false,
        };
        return start(later, { ...DEFAULTS, name: `node ${String(index)}`, mode: 'proxy' });
      }),
    );
    for (const [index, localTarget] of urls.entries()) {
      const nodeId = `n${String(index)}`;
      const options = { localTarget, nodeId, peers: urls, secret: SECRET, intervalMs: 100 };
      const election = new PeersElection(options);
      onTestFinished(() => election.close());
      elections[index] = election;
      void election.start();
    }
    let by = '';
    // Like a client that comes again: nobody leads for a moment.
    while (by !== 'node 0') {
      await until('the first to lead', () => elections[1]?.status().leader === 'n0');
      const answer = await post(urls[1] ?? '');
      if (answer.status === 200) by = told(answer).by;
    }
    expect(elections.map((election) => election?.status().peers.length)).toEqual([1, 1]);
  });
});

const DEFAULTS: AppOptions = { name: 'follower', mode: 'redirect', readsFirst: false };
const BY_LEADER = { by: 'leader', method: 'POST', body: ORDER };
const POST = { method: 'POST', headers: { 'content-type': 'application/json' } };

type Start = Framework['start'];

interface Follower extends LeaderProvider {
  /** From now on. */
  target: string | null;
}

function leading(start: Start): Promise<string> {
  const leader: LeaderProvider = { isLeader: () => true, redirectTarget: () => null };
  return start(leader, { ...DEFAULTS, name: 'leader' });
}

function following(
  start: Start,
  target: string | null,
  options: Partial<AppOptions> = {},
): Promise<string> {
  return start(follower(target), { ...DEFAULTS, ...options });
}

function follower(target: string | null): Follower {
  const made: Follower = { target, isLeader: () => false, redirectTarget: () => made.target };
  return made;
}

function post(url: string, body: object = ORDER, agent?: Agent): Promise<HttpAnswer> {
  return send(url, { ...POST, body: JSON.stringify(body), ...(agent && { agent }) });
}

interface Told {
  readonly by: string;
}

/** What an app says that it got. */
function told({ body }: HttpAnswer): Told {
  // Each of the apps answers so.
  return JSON.parse(body) as Told;
}
