// Puts the lease of peers together from the settings of a node: its address, its election, its server and its secret.
import { timingOf } from '../../config/lease-timing.ts';
import type { RunOptions } from '../../config/load.ts';
import { parsePeerAddresses } from '../../config/peer-address.ts';
import { FailoverError } from '../../errors.ts';
import { readSecretFile } from '../../keys/key-files.ts';
import { PeerNode } from '../../peers/peer-node.ts';
import { PeerServer } from '../../peers/peer-server.ts';
import { sendWord } from '../../peers/send-word.ts';
import type { Clock } from '../../runtime/ports.ts';
import type { GroupPaths } from '../file/group-paths.ts';
import type { RemoteStoreOptions } from '../remote-store.ts';
import { KeptWord } from './kept-word.ts';
import { otherAddresses, ownAddress } from './own-address.ts';
import { PeersLease } from './peers-lease.ts';

/** Where no server keeps anything: the directory of this node. */
export interface OwnFiles {
  readonly paths: GroupPaths;
  /** Puts an epoch on record: on the disk when it resolves. @throws FAILOVER_STATE_DIR_* */
  readonly keepEpoch: (epoch: number) => Promise<void>;
}

/**
 * Reads what it takes; the lease itself opens nothing before it is begun.
 *
 * @throws FAILOVER_BAD_KEY_FILE, FAILOVER_SETTINGS_CONFLICT
 */
export function peersOpener(
  options: RunOptions,
  clock: Clock,
): (store: RemoteStoreOptions, own: OwnFiles) => PeersLease {
  const { leaseTickMs, leaseMaxDriftMs } = timingOf(options);
  const all = parsePeerAddresses(options.peers ?? '', '--peers');
  const target = ownAddress(all, options.peerAddress);
  const peers = otherAddresses(all, target);
  // The relations between the settings ask for it.
  const secret = readSecretFile(options.secretFile ?? '');
  return (store, { paths, keepEpoch }) => {
    const { group, record, ttlMs, requestTimeoutMs: timeoutMs } = store;
    const { node, run } = record;
    const server = new PeerServer(target, Math.max(timeoutMs, leaseTickMs));
    return new PeersLease({
      options: store,
      tickMs: leaseTickMs,
      kept: new KeptWord(paths),
      keepEpoch,
      maxDriftMs: leaseMaxDriftMs,
      open: (hooks) =>
        new PeerNode({
          ...{ group, node, run, target, peers, secret, timeoutMs, clock, ...hooks },
          ...{ intervalMs: leaseTickMs, leaseMs: ttlMs },
          ...{ preempts: false, untilReleased: true, wants: false },
          sparesRequests: true,
        }),
      listen: async (opened) => {
        await server.listen(opened);
        try {
          await askFirst({ ...store, target, peers, secret });
        } catch (error) {
          await server.close();
          throw error;
        }
      },
      stopListening: () => server.close(),
      returnOrder: (seq, epoch) => ({
        ...{ kind: 'peers', group, node, run, target, seq, epoch, peers, timeoutMs },
        secret: secret.toString('base64'),
      }),
    });
  };
}

/**
 * Before anybody has heard of it: two under one id would both have to give way, and one that nobody believes would
 * lead beside those that it does not hear.
 *
 * @throws FAILOVER_NODE_TAKEN, FAILOVER_BAD_KEY_FILE
 */
async function askFirst(
  asking: RemoteStoreOptions & {
    readonly target: string;
    readonly peers: readonly string[];
    readonly secret: Uint8Array;
  },
): Promise<void> {
  const { group, record, requestTimeoutMs: timeoutMs, target, peers, secret } = asking;
  const { node, run } = record;
  const heartbeat = {
    ...{ node, run, target, seq: 0, epoch: 0, leaving: false, about: '' },
    ...{ bid: null, leads: false, term: null, supports: null, doubles: [], leaseMs: 0 },
  };
  const word = { message: { group, heartbeat }, secret, timeoutMs, counts: false };
  const asked = peers.map(async (peer) => ({ peer, answer: await sendWord(peer, word) }));
  const answers = await Promise.all(asked);
  const heard = answers.flatMap(({ peer, answer }) =>
    typeof answer === 'object' && answer !== null ? [{ peer, ...answer.heartbeat }] : [],
  );
  const other = heard.find((one) => one.node === node && one.run !== run);
  if (other !== undefined) {
    const fact = `Cannot take part in group ${group} as ${node}: the node at ${other.peer} has that id`;
    throw new FailoverError('FAILOVER_NODE_TAKEN', fact, { details: { group } });
  }
  const refusing = answers.filter(({ answer }) => answer === UNSIGNED).map(({ peer }) => peer);
  if (heard.length > 0 || refusing.length === 0) return;
  throw new FailoverError(
    'FAILOVER_BAD_KEY_FILE',
    `Cannot take part in group ${group}: ${refusing.join(' and ')} uses another secret`,
    { hint: 'Use the same --secret-file on all nodes of the group.' },
  );
}

/** The status with which a peer answers what is not signed with its secret. */
const UNSIGNED = 401;
