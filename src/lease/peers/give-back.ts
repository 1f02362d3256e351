// Says good-bye for a node that can't: the others need not wait until they count it as gone.
import type { PeersReturn } from '../../guard/messages.ts';
import { sendWord } from '../../peers/send-word.ts';

/** True: each of the others knows. Never rejects: what can't be told is found out. */
export async function giveBackToPeers(order: PeersReturn): Promise<boolean> {
  const { group, node, run, target, seq, epoch, peers, secret, timeoutMs } = order;
  const heartbeat = {
    ...{ node, run, target, seq, epoch, leaving: true, about: '' },
    ...{ bid: null, leads: false, term: null, supports: null, doubles: [], leaseMs: 0 },
  };
  const word = {
    ...{ message: { group, heartbeat }, secret: Buffer.from(secret, 'base64'), timeoutMs },
    counts: true,
  };
  const answers = await Promise.all(peers.map((peer) => sendWord(peer, word)));
  return answers.every((answer) => typeof answer === 'object' && answer?.taken === true);
}
