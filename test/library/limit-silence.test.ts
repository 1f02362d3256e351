// For how long a follower waits for the leader, and what is not held against the leader.
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestListener } from 'node:http';
import { Worker } from 'node:worker_threads';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { leaderMiddleware } from '../../src/library/leader-middleware.ts';
import { until } from '../support/until.ts';
import { send, serve } from './support/http-servers.ts';

const LIMIT_MS = 250;

/** One that hands all writes on to there. @param target as `http://HOST:PORT` */
async function follower(target: string): Promise<string> {
  const leader = { isLeader: () => false, redirectTarget: () => target };
  const middleware = leaderMiddleware(leader, { mode: 'proxy', proxyTimeoutMs: LIMIT_MS });
  const { url } = await serve((incoming, response) => {
    middleware(incoming, response, () => response.end());
  });
  return url;
}

/** In front of a leader that does so; at `/silent` it answers nothing. */
async function inFrontOf(listener: RequestListener): Promise<string> {
  const leader = await serve((incoming, response) => {
    if (incoming.url !== '/silent') listener(incoming, response);
  });
  return follower(leader.url);
}

/** Resolves after more than the limit: others have waited for all of it, twice. */
async function longerThanTheLimit(url: string): Promise<void> {
  for (let time = 0; time < 2; time += 1) {
    expect((await send(`${url}/silent`, { method: 'POST' })).status).toBe(504);
  }
}

function post(url: string): { sent: ClientRequest; answered: Promise<IncomingMessage> } {
  const sent = request(url, { method: 'POST', agent: false });
  sent.on('error', () => undefined);
  const answered = new Promise<IncomingMessage>((resolve) => sent.on('response', resolve));
  onTestFinished(() => {
    sent.destroy();
  });
  return { sent, answered };
}

describe('a leader that is waited for', () => {
  it('and does not take the connection is answered for with 504', async () => {
    const url = await follower(await startBlocked());
    expect((await send(url, { method: 'POST', body: 'x' })).status).toBe(504);
  });

  it('and takes nothing of a body is answered for with 504', async () => {
    const url = await inFrontOf((incoming) => incoming.pause());
    const body = 'x'.repeat(30_000_000);
    expect((await send(url, { method: 'POST', body })).status).toBe(504);
  });

  it('and stops within its answer has that cut', async () => {
    const url = await inFrontOf((_, response) => response.writeHead(200).write('begun'));
    const { sent, answered } = post(url);
    sent.end();
    const answer = await answered;
    let isCut = false;
    answer.resume().on('error', () => (isCut = true));
    await until('it to be cut', () => isCut);
  });

  it('may be waited for as long as the client takes to send its body', async () => {
    const url = await inFrontOf((incoming, response) => {
      incoming.resume().on('end', () => response.end('done'));
    });
    const { sent, answered } = post(url);
    sent.write('x');
    await longerThanTheLimit(url);
    sent.end('y');
    expect((await answered).statusCode).toBe(200);
  });

  it('may be waited for as long as the client takes nothing of the answer', async () => {
    const url = await inFrontOf((_, response) => response.end(Buffer.alloc(30_000_000)));
    const { sent, answered } = post(url);
    sent.end();
    const answer = await answered;
    await longerThanTheLimit(url);
    let length = 0;
    for await (const chunk of answer) length += (chunk as Buffer).length;
    expect(length).toBe(30_000_000);
  });
});

/** Where the system accepts no more connections, as nobody takes those that there are. */
async function startBlocked(): Promise<string> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true },
  );
  onTestFinished(() => void worker.terminate());
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fillers = Array.from({ length: 6 }, () => connect(port, '127.0.0.1'));
  for (const filler of fillers) filler.on('error', () => undefined);
  onTestFinished(() => {
    for (const filler of fillers) filler.destroy();
  });
  await until('some to be taken', () => fillers.some(({ connecting }) => !connecting));
  return `http://127.0.0.1:${String(port)}`;
}
