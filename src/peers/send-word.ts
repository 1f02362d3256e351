// Says one thing to one peer, for callers that take no part in the election: not yet, or for another process.
import { parseJson } from '../transport/checks.ts';
import { PeerLink } from './peer-link.ts';
import { encodeRequest, readAnswer } from './peer-message.ts';
import type { PeerAnswer, PeerMessage } from './peer-message.ts';
import { isSigned, signature } from './signature.ts';
import type { Secret } from './signature.ts';

export interface Word {
  readonly message: PeerMessage;
  readonly secret: Secret;
  /** How long each of at most two requests waits for its answer. */
  readonly timeoutMs: number;
  /** Whether it is to count: without, the peer only answers. */
  readonly counts: boolean;
}

/** What the peer has answered last; a number: it refuses, with that status; null: nothing that counts. */
export async function sendWord(peer: string, word: Word): Promise<PeerAnswer | number | null> {
  const { message, secret, timeoutMs, counts } = word;
  const { run, seq } = message.heartbeat;
  let last: PeerAnswer | number | null = null;
  const link = new PeerLink(peer, timeoutMs, {
    compose: (offered) => {
      const body = encodeRequest({ ...message, proof: offered });
      return { body, signature: signature(secret, 'request', body), seq, saidAt: 0 };
    },
    take: ({ body, signature: given }) => {
      if (!isSigned(secret, 'answer', { body, given })) return null;
      const answer = readAnswer(parseJson(body));
      if (answer?.to.run !== run || answer.to.seq !== seq) return null;
      if (answer.group !== message.group) return null;
      last = answer;
      return counts ? answer : { ...answer, taken: true };
    },
    failed: (status) => {
      last = status;
    },
  });
  try {
    await link.say();
  } finally {
    link.close();
  }
  return last;
}
