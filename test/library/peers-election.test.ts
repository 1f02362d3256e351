// The election over real HTTP: who leads, what is refused, and what a wrong configuration says.
import { describe, expect, it } from 'vitest';
import { PeersElection } from '../../src/library/peers-election.ts';
import type { LeaderChange } from '../../src/library/peers-election.ts';
import { HEARTBEAT_PATH } from '../../src/peers/peer-message.ts';
import { signature, SIGNATURE_HEADER } from '../../src/peers/signature.ts';
import { failureOf } from '../support/failover-error.ts';
import { uncaught } from '../support/uncaught.ts';
import { until } from '../support/until.ts';
import { send, serve } from './support/http-servers.ts';
import { peerAt, peersOf, SECRET } from './support/peers.ts';

describe('a node alone', () => {
  it('is ready once it leads, and has its own address as the target', async () => {
    const election = new PeersElection({ localTarget: 'http://127.0.0.1:1/', intervalMs: 20 });
    await election.start();
    await until('it to lead', () => election.isLeader());
    expect(election.redirectTarget()).toBe('http://127.0.0.1:1');
    expect(election.epoch).toBe(1);
    await election.close();
    expect(election.isLeader()).toBe(false);
    expect(election.redirectTarget()).toBeNull();
  });

  it('closes with its signal', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const election = new PeersElection({
      ...{ localTarget: 'http://127.0.0.1:1/', intervalMs: 20, signal },
    });
    await election.start();
    await until('it to lead', () => election.isLeader());
    controller.abort();
    expect(election.isLeader()).toBe(false);
    await election.close();
  });

  it('may be closed twice, and before it was started', async () => {
    const election = new PeersElection({ localTarget: 'http://127.0.0.1:1' });
    await Promise.all([election.close(), election.close()]);
    await election.close();
    await election.start();
    expect(election.isLeader()).toBe(false);
  });
});

describe('a listener', () => {
  it('that throws keeps nobody from hearing of a node, nor the node from closing', async () => {
    const thrown = uncaught();
    const [a, b] = await started(['a', 'b']);
    await until('the leader', () => b.election.redirectTarget() === a.server.url);
    for (const { election } of [a, b]) {
      election.on('leader', () => {
        throw new Error('of the program');
      });
    }
    await a.election.close();
    await until('the other to lead', () => b.election.isLeader());
    await b.election.close();
    await until('the errors', () => thrown.length >= 2);
  });

  it('that closes its node has the promise of everyone', async () => {
    const election = new PeersElection({ localTarget: 'http://127.0.0.1:1/', intervalMs: 20 });
    await election.start();
    await until('it to lead', () => election.isLeader());
    const closings: Promise<void>[] = [];
    election.on('leader', () => closings.push(election.close()));
    closings.push(election.close(), election.close());
    await Promise.all(closings);
    expect([closings.length, new Set(closings).size]).toEqual([3, 1]);
  });
});

describe('two nodes', () => {
  it('both take the lower id for the leader, and the other leads when that one closes', async () => {
    const [zzz, aaa] = await started(['zzz', 'aaa']);
    await until('both to know', () =>
      [zzz, aaa].every(({ election }) => election.redirectTarget() === aaa.server.url),
    );
    expect(zzz.election.isLeader()).toBe(false);
    const { epoch } = aaa.election;
    await aaa.election.close();
    await until('the other to lead', () => zzz.election.isLeader());
    expect(zzz.election.redirectTarget()).toBe(zzz.server.url);
    expect(zzz.election.epoch).toBeGreaterThan(epoch);
  });

  it('go on when one falls silent, and the lower id leads again when it is back', async () => {
    const [zzz, aaa] = await started(['zzz', 'aaa']);
    await until('the lower one to lead', () => zzz.election.status().leader === 'aaa');
    const { listener } = aaa.server;
    aaa.server.listener = (request) => request.destroy();
    const changes: LeaderChange[] = [];
    zzz.election.on('leader', (change) => changes.push(change));
    await aaa.election.close();
    await until('the other to lead', () => zzz.election.isLeader());
    aaa.server.listener = listener;
    const again = peerAt(aaa.server, {
      ...{ nodeId: 'aaa', secret: SECRET, intervalMs: 100 },
      peers: [zzz.server.url],
    });
    await again.election.start();
    await until('it to lead again', () => zzz.election.status().leader === 'aaa');
    expect(changes.map(({ leader }) => leader)).toEqual(
      expect.arrayContaining(['zzz', null, 'aaa']) as unknown,
    );
    await until('both to know', () => !zzz.election.isLeader() && again.election.isLeader());
  });

  it('are never leaders both, whatever they are asked when', async () => {
    const [one, two, three] = await started(['ccc', 'bbb', 'aaa']);
    const all = [one, two, three];
    let most = 0;
    await until('the lowest to lead', () => {
      most = Math.max(most, all.filter(({ election }) => election.isLeader()).length);
      return three.election.isLeader();
    });
    expect(most).toBe(1);
  });

  it('with one id give way both, and say so', async () => {
    const [one, two, zzz] = await peersOf(['aaa', 'aaa', 'zzz'], { intervalMs: 100 });
    if (one === undefined || two === undefined || zzz === undefined) throw new Error('three');
    const warnings: string[] = [];
    for (const { election } of [one, two]) election.on('warning', (text) => warnings.push(text));
    await Promise.all([one, two, zzz].map(({ election }) => election.start()));
    await until('the third to lead', () => zzz.election.isLeader());
    expect(warnings.length).toBeGreaterThanOrEqual(2);
    expect(warnings[0]).toContain('another node with the id aaa is running');
    await two.election.close();
    await until('the one that is left to lead', () => one.election.isLeader());
    expect(zzz.election.isLeader()).toBe(false);
  });
});

describe('what is refused', () => {
  it('is anything that is not signed with the secret, and it is counted', async () => {
    const [aaa] = await started(['aaa']);
    const url = aaa.server.url + HEARTBEAT_PATH;
    const body = JSON.stringify({ node_id: '0', target: 'http://evil' });
    const unsigned = await send(url, { method: 'POST', body });
    const other = { [SIGNATURE_HEADER]: signature('some other long secret', 'request', body) };
    const forged = await send(url, { method: 'POST', body, headers: other });
    const asAnswer = { [SIGNATURE_HEADER]: signature(SECRET, 'answer', body) };
    const turned = await send(url, { method: 'POST', body, headers: asAnswer });
    expect([unsigned, forged, turned].map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(unsigned.body).not.toContain(SECRET);
    expect(aaa.election.status()).toMatchObject({ peers: [], counters: { unsigned: 3 } });
  });

  it.each([
    ['no JSON', '{"node_id":', {}, 400],
    ['no heartbeat', '{"node_id":"a"}', { signed: true }, 400],
    ['another version', '{"v":2,"node_id":"a"}', { signed: true }, 400],
    ['too long', `"${'x'.repeat(4_096)}"`, { signed: true }, 413],
    ['no POST', '', { method: 'GET' }, 405],
  ])('is what is %s', async (_, body, { signed = false, method = 'POST' }: Sent, status) => {
    const [aaa] = await started(['aaa']);
    const headers = { [SIGNATURE_HEADER]: signature(SECRET, 'request', body) };
    const url = aaa.server.url + HEARTBEAT_PATH;
    const answer = await send(url, { method, body, ...(signed ? { headers } : {}) });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(/^Cannot accept this heartbeat: /);
  });

  it('is what was heard already, though it is signed', async () => {
    const [zzz, aaa] = await peersOf(['zzz', 'aaa'], { intervalMs: 100 });
    if (zzz === undefined || aaa === undefined) throw new Error('two');
    const { listener } = zzz.server;
    const recorded: { body: string; headers: Record<string, string> }[] = [];
    zzz.server.listener = (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        const signed = request.headers[SIGNATURE_HEADER];
        const isOfAaa = body.includes('"node_id":"aaa"');
        if (typeof signed !== 'string' || !isOfAaa) return;
        recorded.push({ body, headers: { [SIGNATURE_HEADER]: signed } });
      });
      listener(request, response);
    };
    await Promise.all([zzz.election.start(), aaa.election.start()]);
    await until('the lower one to lead', () => zzz.election.status().leader === 'aaa');
    await aaa.election.close();
    await until('the other to lead', () => zzz.election.isLeader());
    zzz.server.listener = listener;
    const before = zzz.election.status().counters;
    for (const { body, headers } of recorded) {
      await send(zzz.server.url + HEARTBEAT_PATH, { method: 'POST', body, headers });
    }
    const { counters, peers } = zzz.election.status();
    expect(peers).toEqual([]);
    expect(counters.heard).toBe(before.heard);
    const refused = counters.unproven + counters.replayed - before.unproven - before.replayed;
    expect(refused).toBeGreaterThanOrEqual(recorded.length);
    expect(recorded.length).toBeGreaterThan(3);
  });

  it('is a peer of another group, and each leads its own', async () => {
    const [web] = await peersOf(['web'], { group: 'web', intervalMs: 100 });
    const [db] = await peersOf(['db'], {
      group: 'db',
      intervalMs: 100,
      peers: [web?.server.url ?? ''],
    });
    if (web === undefined || db === undefined) throw new Error('one of each');
    await Promise.all([web.election.start(), db.election.start()]);
    await until('both to lead', () => web.election.isLeader() && db.election.isLeader());
    expect(web.election.status().counters.foreign).toBeGreaterThan(0);
  });
});

describe('a peer that does not answer', () => {
  it('is waited for one interval, and holds up nobody', async () => {
    const silent = await serve(() => undefined);
    const server = await serve();
    const { election } = peerAt(server, {
      ...{ nodeId: 'aaa', secret: SECRET, intervalMs: 100 },
      peers: [silent.url],
    });
    await election.start();
    await until('it to lead', () => election.isLeader());
    await election.close();
    expect(election.status().counters.unanswered).toBeGreaterThan(0);
  });
});

describe('the configuration', () => {
  const localTarget = 'http://127.0.0.1:1';
  const secret = SECRET;

  it.each([
    ['an address that is none', { localTarget: 'b:80/x' }, /localTarget.*neither http nor https/],
    ['peers with a password', { localTarget, secret, peers: ['http://u:p@b'] }, /\*\*\*@b.*user/],
    [
      'an address that is too long for others once it is written as one',
      { localTarget: `http://b/${'é'.repeat(200)}` },
      /localTarget.*too long/,
    ],
    [
      'more peers than a node can hear',
      { localTarget, secret, peers: Array.from({ length: 65 }, (_, n) => `http://p${String(n)}`) },
      /peers: there are 65$/,
    ],
    ['peers without a secret', { localTarget, peers: ['http://b'] }, /secret: there is none/],
    ['a short secret', { localTarget, secret: 'hunter2', peers: ['http://b'] }, /has only 7/],
    ['no interval', { localTarget, intervalMs: 0 }, /intervalMs: 0 is not a number/],
    ['a lease of one interval', { localTarget, leaseMs: 500 }, /shorter than two times/],
    ['an id that is no name', { localTarget, nodeId: 'a b' }, /nodeId/],
  ])('refuses %s', (_, options, message) => {
    const error = failureOf(() => new PeersElection(options));
    expect(error.message).toMatch(message);
    expect(error.message + error.hint).not.toMatch(/hunter2|:p@/);
    expect(error.exitCode).toBe(2);
  });
});

interface Sent {
  readonly signed?: boolean;
  readonly method?: string;
}

/** Started, and not waited for. */
async function started<const Ids extends readonly string[]>(ids: Ids) {
  const peers = await peersOf(ids, { intervalMs: 100 });
  for (const { election } of peers) void election.start();
  // As many as there are ids.
  return peers as { [Key in keyof Ids]: (typeof peers)[number] };
}
