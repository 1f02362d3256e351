// What every workload writes to: it takes a write of the highest epoch that it has seen, and refuses a lower one.
// What it has seen is in a file, so that it knows it still after its host was lost.
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const [host, port, path = ''] = process.argv.slice(2);

let highest = highestOf(path);

createServer((socket) => {
  let rest = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(Number(line));
  });
}).listen(Number(port), host);

/**
 * The first of each epoch and every refused one are noted: who writes all the time says nothing new.
 * @param {number} epoch
 */
function take(epoch) {
  if (epoch === highest) return;
  appendFileSync(path, `${epoch > highest ? 'accepted' : 'refused'} ${String(epoch)}\n`);
  highest = Math.max(highest, epoch);
}

/** @param {string} log */
function highestOf(log) {
  try {
    const lines = readFileSync(log, 'utf8').matchAll(/^accepted (\d+)$/gm);
    return Math.max(0, ...[...lines].map(([, epoch]) => Number(epoch)));
  } catch {
    return 0;
  }
}
