// What etcd, or the way to it, said in our words; without addresses that carry a password.
import { FailoverError } from '../../errors.ts';
import { textOf } from '../error-text.ts';

/** A call that failed; `status`: that of gRPC, null where it came from elsewhere. */
export class EtcdFailure extends Error {
  readonly status: number | null;

  /** @param cause what the client threw, or why the server has ended a watch: both name the status in the text */
  constructor(cause: unknown) {
    const text = textOf(cause);
    const [, number, said = text] = /\b(\d+) [A-Z_]+: (.*)$/.exec(text) ?? [];
    const [, named, inner = said] = /rpc error: code = (\w+) desc = (.*)$/.exec(said) ?? [];
    super(cleaned(inner), { cause });
    this.status = number === undefined ? (NAMED[named ?? ''] ?? null) : Number(number);
  }

  /** Whether this connection brings nothing any more: there is no way, no leader, or its token is not valid. */
  get endsConnection(): boolean {
    return this.status === UNAVAILABLE || this.status === UNAUTHENTICATED || this.#isOfOldToken;
  }

  /** Users or roles were changed after it was given: another is. */
  get #isOfOldToken(): boolean {
    return this.status === INVALID_ARGUMENT && this.message === OLD_TOKEN;
  }
}

const OLD_TOKEN = 'revision of auth store is old';

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const FAILED_PRECONDITION = 9;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

/** The codes of gRPC by the names that a watch gives them. */
const NAMED: Readonly<Record<string, number>> = {
  InvalidArgument: INVALID_ARGUMENT,
  NotFound: NOT_FOUND,
  PermissionDenied: PERMISSION_DENIED,
  FailedPrecondition: FAILED_PRECONDITION,
  Unavailable: UNAVAILABLE,
  Unauthenticated: UNAUTHENTICATED,
};

/** Whether a lease that was named is none, or none any more. */
export function isUnknownLease(error: unknown): boolean {
  return error instanceof EtcdFailure && error.status === NOT_FOUND;
}

/** What the server itself answered where asking again changes nothing before somebody acts; else null. */
export function refusalOf(shown: string, error: unknown): FailoverError | null {
  if (!(error instanceof EtcdFailure) || error.status === null) return null;
  if (!REFUSALS.includes(error.status)) return null;
  const known = SENTENCES.find(([said]) => error.message.includes(said));
  const [, sentence, hint] = known ?? [null, error.message, null];
  const message = `Cannot use the lease store ${shown}: ${sentence}`;
  return new FailoverError('FAILOVER_STORE_REFUSED', message, hint === null ? {} : { hint });
}

const REFUSALS = [INVALID_ARGUMENT, PERMISSION_DENIED, FAILED_PRECONDITION, UNIMPLEMENTED];

const GIVE_USER =
  'Put the user and password in the URL: `etcds://USER:PASSWORD@HOST` in FAILOVER_LEASE.';

/** What it says, what we say, and what to do. */
const SENTENCES: readonly (readonly [string, string, string])[] = [
  ['authentication failed', 'authentication failed for that user and password', GIVE_USER],
  ['user name is empty', 'it requires a user and a password, but none was given', GIVE_USER],
  [
    'authentication is not enabled',
    'authentication is disabled, but a user was given',
    'Omit the user and password, or enable authentication in etcd.',
  ],
  [
    'permission denied',
    'that user lacks the required permissions',
    'Grant it a role that can read and write all keys with the prefix `failover`.',
  ],
];

/** Without what etcd and gRPC say before and after each fact. */
function cleaned(said: string): string {
  const last = /Last error: (?:Error: )?(.*?)\.? ?(?:Resolution note:.*)?$/.exec(said)?.[1] ?? said;
  const fact = last.replace(/^etcdserver: /, '').replace(WHEN, '');
  return fact === 'Protocol error' ? 'the server there is not etcd' : fact;
}

/** When it happened: what is told again and again would be another word each time. */
const WHEN = / \(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/;
