// The same from CommonJS: Node.js 20.19 and later can `require` it.
//
//   node supervisor.cjs STATE_DIR COMMAND…
'use strict';
const { FailoverError, startNode } = require('failover-cli');

async function main() {
  const [stateDir = './failover-state', ...command] = process.argv.slice(2);
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end.abort());
  const node = await startNode({ group: 'demo', stateDir, command }, { signal: end.signal });
  node.on('transition', ({ from, to, epoch, reason }) => {
    console.log(`${from} -> ${to} ${epoch}: ${reason}`);
  });
  process.exitCode = (await node.ended).exitCode;
}

main().catch((error) => {
  if (!(error instanceof FailoverError)) throw error;
  console.error(`${error.code}: ${error.message}. ${error.hint}`);
  process.exitCode = error.exitCode;
});
