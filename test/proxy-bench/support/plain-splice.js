// The plainest splice there can be: two pipes for each connection. Argument: the port it goes to.
import { connect, createServer } from 'node:net';
import { sayPort } from './say-port.js';

const to = Number(process.argv[2]);
const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const primary = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  client.on('error', () => primary.destroy());
  primary.on('error', () => client.destroy());
  client.pipe(primary);
  primary.pipe(client);
});
sayPort(server);
