// What is usually written by hand: SET NX PX in a loop, and the command started once it is ours.
// Arguments: the port of a Redis server, the time to live (ms), the program and its arguments.
import { spawn } from 'node:child_process';
import { createClient } from 'redis';

const [port = '', ttlMs = '', program = '', ...args] = process.argv.slice(2);
const TICK_MS = 500;
const KEY = 'lease-loop';
const own = String(process.pid);
const client = createClient({ socket: { host: '127.0.0.1', port: Number(port) } });
client.on('error', () => undefined);
await client.connect();
let leads = false;
setInterval(() => void tick(), TICK_MS);

async function tick() {
  if (leads) {
    await client.sendCommand(['SET', KEY, own, 'XX', 'PX', ttlMs]);
    return;
  }
  const expiration = /** @type {const} */ ({ type: 'PX', value: Number(ttlMs) });
  if ((await client.set(KEY, own, { condition: 'NX', expiration })) !== 'OK') return;
  leads = true;
  spawn(program, args, { stdio: 'ignore' });
}
