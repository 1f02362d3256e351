// What a server says where none of our questions has such an answer.
import { FailoverError } from '../errors.ts';

/** @param hint who else may have written what it answers with */
export function strangeAnswer(hint: string): FailoverError {
  return new FailoverError(
    'FAILOVER_STORE_REFUSED',
    'Cannot use the lease store: it sent an unknown response',
    { hint },
  );
}
