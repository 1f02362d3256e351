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
  return textOf(error).startsWith('Unknown RESP type') ? 'the server there is not Redis' : null;
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
  WRONGPASS: 'authentication failed for that user and password',
  NOAUTH: 'it requires a password, but none was given',
  READONLY: 'it is a replica, which cannot keep a lease',
  MOVED: "it is a cluster node, and this group's keys are on another node",
  FAILOVER: 'it has data of another version of failover that this one does not know',
};

const HINTS: Readonly<Record<string, string>> = {
  WRONGPASS:
    'Put the user and password in the URL: `rediss://USER:PASSWORD@HOST` in FAILOVER_LEASE.',
  NOAUTH: 'Put the user and password in the URL: `rediss://USER:PASSWORD@HOST` in FAILOVER_LEASE.',
  READONLY: 'Use the address of the primary server.',
  MOVED: 'Use a server that is not part of a cluster.',
  FAILOVER: 'Run the same version of failover on every node of the group.',
};
