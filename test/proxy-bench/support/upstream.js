// A server that answers each request at once with a few bytes. It says its port on stdout.
import { createServer } from 'node:http';
import { sayPort } from './say-port.js';

const server = createServer((request, response) => {
  request.resume().on('end', () => response.end('a short answer\n'));
});
server.keepAliveTimeout = 60_000;
sayPort(server);
