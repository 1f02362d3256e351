// What the server, or the way to it, said in our words; without addresses that carry a password.
import { FailoverError } from '../../errors.ts';
import { textOf } from '../error-text.ts';

/** What the server itself answered where asking again changes nothing before somebody acts; else null. */
export function refusalOf(shown: string, error: unknown): FailoverError | null {
  const answer = answerOf(error);
  return REFUSAL.test(answer) ? refusal(shown, answer) : null;
}

/** Whether the server has become a replica: an address may lead to the new primary server while a connection lasts. */
export function isOfReplica(error: unknown): boolean {
  return answerOf(error).startsWith('READONLY');
}

/** What a command in a script was told, as Redis before 7 wraps that in an error of its own. */
function answerOf(error: unknown): string {
  const text = textOf(error);
  return WITHIN_SCRIPT.exec(text)?.[1] ?? text;
}

const WITHIN_SCRIPT = /^ERR Error running script [^]*? -([A-Z]+ [^]*)$/;

/** What listens there is of another kind: of what it says the client names a letter. Null: something else. */
export function wordsFor(error: unknown): string | null {
  return textOf(error).startsWith('Unknown RESP type') ? 'what answers there is no Redis' : null;
}

/** What begins the errors by which a server says no; others, like LOADING or OOM, pass. */
const REFUSAL =
  /^(?:WRONGPASS|NOAUTH|NOPERM|WRONGTYPE|READONLY|DENIED|MOVED|FAILOVER|ERR(?! max number))\b/;

function refusal(shown: string, text: string): FailoverError {
  const [code = ''] = text.split(' ', 1);
  const message = `Cannot use the lease store ${shown}: ${SENTENCES[code] ?? text}`;
  const hint = HINTS[code];
  return new FailoverError('FAILOVER_STORE_REFUSED', message, hint === undefined ? {} : { hint });
}

const SENTENCES: Readonly<Record<string, string>> = {
  WRONGPASS: 'it knows no such user with that password',
  NOAUTH: 'it wants a password, and none was given',
  READONLY: 'it is a replica, which takes no lease',
  MOVED: 'it is a node of a cluster, and the keys of this group are on another one',
  FAILOVER: 'another version of failover has left something in it that this one does not know',
};

const HINTS: Readonly<Record<string, string>> = {
  WRONGPASS: 'Give user and password in the URL: `rediss://USER:PASSWORD@HOST` in FAILOVER_LEASE.',
  NOAUTH: 'Give user and password in the URL: `rediss://USER:PASSWORD@HOST` in FAILOVER_LEASE.',
  READONLY: 'Give the address of the primary server.',
  MOVED: 'Give a server that is no part of a cluster.',
  FAILOVER: 'Run the same version of failover on every node of the group.',
};
