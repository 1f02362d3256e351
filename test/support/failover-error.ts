// Catches the FailoverError of a call, so that a test can look at its code, message and hint.
import { FailoverError } from '../../src/errors.ts';

/** The FailoverError that a call throws; anything else is thrown on, and no error is one. */
export function failureOf(call: () => unknown): FailoverError {
  try {
    call();
  } catch (error) {
    if (error instanceof FailoverError) return error;
    throw error;
  }
  throw new Error('expected a FailoverError, and the call returned');
}
