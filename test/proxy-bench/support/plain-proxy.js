// A plain proxy on the same library: no hold, no repeat, no limits. Argument: where it goes to.
//
// It does what every proxy has to: both bodies at the pace of the slower side, nothing passed on that is about one
// connection alone, `Via` and `X-Forwarded-*`, and an end to what a client no longer waits for. Nothing in it is there
// to be slow.
import { createServer } from 'node:http';
import { Pool } from 'undici';
import { sayPort } from './say-port.js';

const pool = new Pool(process.argv[2] ?? '', { connections: 256, pipelining: 1 });
const HOPS = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'],
]);
const VIA = '1.1 plain';

const server = createServer((request, response) => {
  const { method = 'GET', url: path = '/', headers } = request;
  const hasBody =
    headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined;
  /** @type {import('undici').Dispatcher.DispatchController | null} */
  let attempt = null;
  response.on('close', () => {
    if (!response.writableFinished) attempt?.abort(new Error('the client is gone'));
  });
  pool.dispatch(
    {
      // Any method is passed on, also one that the type does not name.
      method: /** @type {import('undici').Dispatcher.HttpMethod} */ (method),
      ...{ path, headers: forwarded(request), body: hasBody ? request : null },
    },
    {
      onRequestStart: (controller) => {
        attempt = controller;
        if (response.destroyed) controller.abort(new Error('the client is gone'));
      },
      onResponseStart: (_controller, status, answered) => {
        if (status < 200) return;
        const kept = withoutHops(answered);
        kept.via = joined(answered['via'], VIA);
        response.writeHead(status, kept);
      },
      onResponseData: (controller, chunk) => {
        if (response.write(chunk)) return;
        controller.pause();
        response.once('drain', () => {
          controller.resume();
        });
      },
      onResponseEnd: () => response.end(),
      onResponseError: () => {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      },
    },
  );
});
server.keepAliveTimeout = 60_000;
sayPort(server);

/** @param {import('node:http').IncomingMessage} request */
function forwarded({ headers, socket }) {
  const kept = withoutHops(headers);
  kept.via = joined(headers.via, VIA);
  kept['x-forwarded-for'] = joined(headers['x-forwarded-for'], socket.remoteAddress ?? '');
  kept['x-forwarded-proto'] ??= 'http';
  kept['x-forwarded-host'] ??= headers.host;
  return kept;
}

/** @param {string | string[] | undefined} given @param {string} own */
function joined(given, own) {
  return given === undefined ? own : `${String(given)}, ${own}`;
}

/** Without what is about one connection alone. @param {import('node:http').IncomingHttpHeaders} headers */
function withoutHops(headers) {
  const named = headers.connection?.toLowerCase().split(/\s*,\s*/) ?? [];
  /** @type {import('node:http').IncomingHttpHeaders} */
  const kept = {};
  for (const name in headers) {
    if (!HOPS.has(name) && !named.includes(name)) kept[name] = headers[name];
  }
  return kept;
}
