// A process of its own with one node: prints its endpoints, publishes heartbeats, ends on demand.
import process from 'node:process';
import { Transport } from '../../../dist/transport/bus.js';

const [directory = '', group = 'web', node = 'peer', run = 'peer-run', task = 'serve'] =
  process.argv.slice(2);
const transport = new Transport({ directory });
const bus = transport.openGroup({
  group,
  nodeId: node,
  run,
  version: '0.0.0',
  startedAt: new Date().toISOString(),
  describe: () => ({ epoch: 1, role: 'primary' }),
  onEvent: () => undefined,
  onRequest: () => Promise.resolve({ detail: 'done' }),
});
process.stdout.write(`${JSON.stringify(transport.endpoints)}\n`);

if (task === 'close') {
  // Nothing calls exit here: the process ends only if nothing of the transport is left.
  bus.follow({ node, run: 'another', endpoints: transport.endpoints });
  bus.probe({ timeoutMs: 60_000, standby: standbyOf(node) }).catch(() => undefined);
  await transport.close();
} else {
  setInterval(() => {
    bus.publish({
      kind: 'heartbeat',
      epoch: 1,
      phase: 'primary',
      uptimeMs: 1,
      succession: [],
      lastTakeover: null,
    });
  }, 10);
}

/**
 * @param {string} id
 * @returns {import('../../../dist/core/state.js').StandbyInfo}
 */
function standbyOf(id) {
  return {
    node: id,
    run,
    willing: true,
    priority: 100,
    standby: 'cold',
    version: '0.0.0',
    standingByMs: 0,
  };
}
