// The plainest proxy there can be on the same library: no hold, no repeat, no limits. Argument: where it goes to.
import { createServer } from 'node:http';
import { Pool } from 'undici';

const pool = new Pool(process.argv[2] ?? '', { connections: 256, pipelining: 1 });
const HOPS = new Set(['connection', 'keep-alive', 'transfer-encoding']);
const server = createServer((request, response) => {
  const { method = 'GET', url: path = '/', headers } = request;
  const hasBody =
    headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined;
  pool.dispatch(
    {
      // Any method is passed on, also one that the type does not name.
      method: /** @type {import('undici').Dispatcher.HttpMethod} */ (method),
      ...{ path, headers: withoutHops(headers), body: hasBody ? request : null },
    },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, answered) => {
        response.writeHead(status, withoutHops(answered));
      },
      onResponseData: (controller, chunk) => {
        if (response.write(chunk)) return;
        controller.pause();
        response.once('drain', () => {
          controller.resume();
        });
      },
      onResponseEnd: () => response.end(),
      onResponseError: () => response.destroy(),
    },
  );
});
server.keepAliveTimeout = 60_000;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});

/** @param {import('node:http').IncomingHttpHeaders} headers */
function withoutHops(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOPS.has(name)));
}
