// Nodes whose lease is in etcd.
import { describe } from 'vitest';
import { EtcdServer, lackOfEtcd } from '../contracts/support/etcd-server.ts';
import { nodesBehindTls, nodesWithLease } from './store-nodes.ts';

const lack = lackOfEtcd();
if (lack !== null) process.stderr.write(`The tests of nodes with a lease in etcd are ${lack}.\n`);

describe.runIf(lack === null)('nodes with a lease in etcd', () => {
  nodesWithLease(async () => {
    const server = await EtcdServer.start();
    server.growOld();
    return {
      freshPlace: () => {
        server.command('del', '--prefix', 'failover/');
        return Promise.resolve(`etcd://127.0.0.1:${String(server.port)}`);
      },
      noted: () => Promise.resolve(noted(server)),
      freeze: () => {
        server.freeze();
      },
      thaw: () => {
        server.thaw();
      },
      end: () => server.end(),
      begin: () => server.begin(),
      stop: () => server.stop(),
    };
  });

  nodesBehindTls(async (certified) => {
    const server = await EtcdServer.start({ certified });
    server.growOld();
    server.requireUsers('root-hush', 'me', 'hush-hush');
    // By its address: Node has a word to say about that in TLS, which is nobody's business.
    const host = `127.0.0.1:${String(server.port)}`;
    return {
      kind: 'etcd',
      lease: `etcds://me:hush-hush@${host}?ca=${certified.certificate}`,
      stop: () => server.stop(),
    };
  });
});

function noted(server: EtcdServer): readonly string[] {
  const order = ['--sort-by', 'CREATE', '--order', 'ASCEND', '--print-value-only'];
  const { stdout } = server.command('get', '--prefix', 'failover/g/events/', ...order);
  const entries = stdout.split('\n').filter((line) => line !== '');
  return entries.map((entry) => {
    const { node, action } = JSON.parse(entry) as { node: string; action: string }; // ours
    return `${node} ${action}`;
  });
}
