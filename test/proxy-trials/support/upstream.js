// A small HTTP server behind a proxy: it notes each POST as it begins to carry it out, and dies at once when told to.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port = '0', log = ''] = process.argv.slice(2);
const epoch = process.env['FAILOVER_EPOCH'] ?? '0';

/** Some answers take a while: then something is always under way. */
const TAKES_MS = [0, 0, 0, 5, 20];
let requests = 0;

const server = createServer((request, response) => {
  requests += 1;
  const takesMs = TAKES_MS[requests % TAKES_MS.length] ?? 0;
  const id = request.headers['x-request'] ?? '';
  if (request.method === 'POST') appendFileSync(log, `${String(id)} ${epoch}\n`);
  request.resume();
  request.on('end', () => {
    setTimeout(() => {
      response.setHeader('x-epoch', epoch);
      response.end(`${String(id)}\n`);
    }, takesMs);
  });
});
server.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => {
  process.exit(0);
});
