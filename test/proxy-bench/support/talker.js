// Says as many bytes as it is asked for, a number and a newline, and closes the connection.
import { createServer } from 'node:net';
import { sayPort } from './say-port.js';

const PIECE = Buffer.alloc(64 * 1024, 'x');

const server = createServer({ noDelay: true }, (client) => {
  client.on('error', () => client.destroy());
  client.once('data', (asked) => {
    say(client, Number(asked.toString()));
  });
});
sayPort(server);

/** @param {import('node:net').Socket} client @param {number} bytes */
function say(client, bytes) {
  let left = bytes;
  while (left > 0) {
    const piece = PIECE.subarray(0, left);
    left -= piece.length;
    if (client.write(piece)) continue;
    client.once('drain', () => {
      say(client, left);
    });
    return;
  }
  client.end();
}
