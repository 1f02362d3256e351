// Sends requests through a proxy at a steady rate, whatever becomes of those before, and says on request how they went.
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';

const [port = '0', rate = '100'] = process.argv.slice(2);
const agent = new Agent({
  keepAlive: true,
  maxFreeSockets: 64,
  maxSockets: 2000,
  scheduling: 'lifo',
});

/** Of those that have ended since it was asked last. */
let ended = { safe: 0, unsafe: 0, repeated: 0, longestMs: 0, heldMs: 0, epoch: 0 };
/** @type {{ id: string, method: string, how: string, tookMs: number }[]} */
let lost = [];
let sent = 0;
let underWay = 0;

const startedAt = performance.now();
let isOver = false;

function pump() {
  if (isOver) return;
  // As many as should have been sent by now: a late timer makes up for it.
  const due = Math.floor(((performance.now() - startedAt) / 1000) * Number(rate));
  while (sent < due) send();
}

function send() {
  sent += 1;
  underWay += 1;
  const id = String(sent);
  const method = sent % 2 === 0 ? 'GET' : 'POST';
  const body = method === 'POST' ? `body of ${id}` : '';
  const begunAt = performance.now();
  let hasEnded = false;
  /** @param {string | null} how */
  const end = (how) => {
    if (hasEnded) return;
    hasEnded = true;
    underWay -= 1;
    const tookMs = performance.now() - begunAt;
    ended.longestMs = Math.max(ended.longestMs, tookMs);
    if (method === 'GET') ended.safe += 1;
    else ended.unsafe += 1;
    if (how !== null) lost.push({ id, method, how, tookMs: Math.round(tookMs) });
  };
  const asked = request(
    {
      ...{ agent, method, port: Number(port), host: '127.0.0.1', path: `/${id}` },
      headers: { 'x-request': id, ...(body === '' ? {} : { 'content-length': body.length }) },
    },
    (answer) => {
      const { statusCode = 0, headers } = answer;
      let text = '';
      answer.on('data', (/** @type {Buffer} */ chunk) => (text += chunk.toString()));
      answer.on('error', (error) => {
        end(`broken off: ${error.message}`);
      });
      answer.on('end', () => {
        ended.heldMs = Math.max(ended.heldMs, Number(headers['x-failover-held-ms'] ?? 0));
        if (headers['x-failover-repeated'] !== undefined) ended.repeated += 1;
        ended.epoch = Math.max(ended.epoch, Number(headers['x-epoch'] ?? 0));
        const code = headers['x-failover-error'];
        if (statusCode !== 200) end(`${String(statusCode)} ${String(code ?? 'without a code')}`);
        else end(text === `${id}\n` ? null : 'another answer');
      });
    },
  );
  asked.on('error', (/** @type {Error & { code?: string }} */ error) => {
    end(`reset: ${error.code ?? error.message}`);
  });
  asked.end(body);
}

const timer = setInterval(pump, 2);

/** `report`: what has ended since the last one. `end`: nothing more is sent, and the last report comes when all has ended. */
const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => {
  if (line === 'report') report();
  if (line !== 'end') return;
  isOver = true;
  clearInterval(timer);
  const wait = setInterval(() => {
    if (underWay > 0) return;
    clearInterval(wait);
    report();
    agent.destroy();
    commands.close();
  }, 5);
});

function report() {
  process.stdout.write(`${JSON.stringify({ ...ended, lost, underWay, sent })}\n`);
  ended = { safe: 0, unsafe: 0, repeated: 0, longestMs: 0, heldMs: 0, epoch: 0 };
  lost = [];
}
