// What a server says is told apart: what somebody has to act on, what passes, and what is done again.
import { describe, expect, it } from 'vitest';
import {
  isCollision,
  lacksTables,
  refusalOf,
} from '../../../src/lease/postgres/postgres-errors.ts';

const SHOWN = 'postgres://host:5432/app';

describe('an error of the server', () => {
  it.each([
    ['28P01', 'password authentication failed for user "secret"', 'authentication failed'],
    ['28000', 'no pg_hba.conf entry for user "secret"', 'it does not allow that user'],
    ['3D000', 'database "app" does not exist', 'database "app" does not exist'],
    ['25006', 'cannot execute UPDATE in a read-only transaction', 'it is a replica'],
    ['42501', 'permission denied for schema failover', 'permission denied for schema failover'],
    ['23514', 'violates check constraint', 'there is no epoch above'],
    ['42703', 'column "v" does not exist', 'it has tables of another version'],
  ])('%s is a no, in our words where they help: %s', (code, said, sentence) => {
    const refusal = refusalOf(SHOWN, fault(code, said));
    expect(refusal?.code).toBe('FAILOVER_STORE_REFUSED');
    expect(refusal?.message).toContain(`Cannot use the lease store ${SHOWN}: ${sentence}`);
    expect(refusal?.message).not.toContain('secret');
  });

  it('is a no where a password is asked for, and there is none', () => {
    const said = 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string';
    expect(refusalOf(SHOWN, new Error(said))?.message).toContain('authentication failed');
  });

  it.each([
    ['57P03', 'the database system is starting up'],
    ['57P01', 'terminating connection due to administrator command'],
    ['53300', 'sorry, too many clients already'],
    ['53100', 'could not extend file: No space left on device'],
    ['08P01', 'server conn crashed?'],
    ['57014', 'canceling statement due to statement timeout'],
    ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432'],
  ])('%s passes: %s', (code, said) => {
    expect(refusalOf(SHOWN, fault(code, said))).toBeNull();
  });

  it.each(['40001', '40P01', '23505', '42P07'])('%s is another who did the same', (code) => {
    expect(isCollision(fault(code, 'collided'))).toBe(true);
  });

  it.each(['42P01', '3F000'])('%s is one of missing tables', (code) => {
    expect(lacksTables(fault(code, 'does not exist'))).toBe(true);
    expect(isCollision(fault(code, 'does not exist'))).toBe(false);
  });
});

function fault(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
