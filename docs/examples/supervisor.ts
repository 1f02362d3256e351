// What `failover run` does, in a program of your own: it keeps one copy of a command active, and tells each step.
//
//   node supervisor.js STATE_DIR COMMAND…
import { FailoverError, startNode } from 'failover-cli';

const [stateDir = './failover-state', ...command] = process.argv.slice(2);
const end = new AbortController();
process.once('SIGINT', () => {
  end.abort();
});
process.once('SIGTERM', () => {
  end.abort();
});

try {
  await using node = await startNode({ group: 'demo', stateDir, command }, { signal: end.signal });
  node.on('transition', ({ from, to, epoch, reason }) => {
    console.log(`${from} -> ${to} ${String(epoch)}: ${reason}`);
  });
  process.exitCode = (await node.ended).exitCode;
} catch (error) {
  if (!(error instanceof FailoverError)) throw error;
  console.error(`${error.code}: ${error.message}. ${error.hint}`);
  process.exitCode = error.exitCode;
}
