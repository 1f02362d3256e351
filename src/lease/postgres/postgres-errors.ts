// What the server, or the way to it, said in our words; without users and passwords.
import { FailoverError } from '../../errors.ts';
import { textOf } from '../error-text.ts';

/** There are no tables yet, or no more: SQLSTATE of a missing schema, table. */
export function lacksTables(error: unknown): boolean {
  return ['3F000', '42P01'].includes(stateOf(error));
}

/** Another has done the same meanwhile: the transaction that failed so was not done, and may be tried again. */
export function isCollision(error: unknown): boolean {
  return ['40001', '40P01', '23505', '42P06', '42P07', '42710', 'XX000'].includes(stateOf(error));
}

/** Whether the server has become a replica: an address may lead to the new primary server while a connection lasts. */
export function isOfReplica(error: unknown): boolean {
  return stateOf(error) === '25006';
}

/** What listens there is of another kind: asked for TLS it answered neither yes nor no. Null: something else. */
export function wordsFor(error: unknown): string | null {
  const isStranger = textOf(error) === 'There was an error establishing an SSL connection';
  return isStranger ? 'the server there is not PostgreSQL' : null;
}

/** Whether the server itself said no: asking again changes nothing before somebody acts. */
export function refusalOf(shown: string, error: unknown): FailoverError | null {
  const said = textOf(error);
  const state = said.includes(WITHOUT_PASSWORD) ? '28P01' : stateOf(error);
  if (!REFUSAL.test(state)) return null;
  const message = `Cannot use the lease store ${shown}: ${SENTENCES[state] ?? said}`;
  const hint = HINTS[state];
  return new FailoverError('FAILOVER_STORE_REFUSED', message, hint === undefined ? {} : { hint });
}

/**
 * What begins the errors by which a server says no: who one is, which database, what may be done, and what it does
 * not understand. Others pass, like those of a server that starts or stops, or has no room.
 */
const REFUSAL = /^(?:22|23|25|28|3D|3F|42|0A)/;

/** What the client says where the server asks for one. */
const WITHOUT_PASSWORD = 'client password must be a ';

const SENTENCES: Readonly<Record<string, string>> = {
  '28P01': 'authentication failed for that user and password',
  '28000': 'it does not allow that user to connect from here',
  '25006': 'it is a replica, which cannot keep a lease',
  '23514': 'there is no epoch above the one known here',
  '42703': 'it has tables of another version of failover that this one does not know',
};

const HINTS: Readonly<Record<string, string>> = {
  '28P01':
    'Put the user and password in the URL, `postgres://USER:PASSWORD@HOST/DATABASE` in FAILOVER_LEASE, or the password as PGPASSWORD.',
  '3D000': 'Create the database, or name an existing one: postgres://HOST/DATABASE.',
  '25006': 'Use the address of the primary server.',
  '42501':
    "Ask a database administrator to run `CREATE SCHEMA failover AUTHORIZATION` with that user's name.",
  '42703': 'Run the same version of failover on every node of the group.',
};

export function otherVersion(shown: string): FailoverError {
  return new FailoverError(
    'FAILOVER_STORE_REFUSED',
    `Cannot use the lease store ${shown}: it has data of another version of failover that this one does not know`,
    { hint: 'Run the same version of failover on every node of the group.' },
  );
}

function stateOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  // Errors of the system have names of another form.
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : '';
}
