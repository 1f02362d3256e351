// Signs what peers say to each other: whoever does not know the secret says nothing.
import { createHmac, timingSafeEqual } from 'node:crypto';

export const SIGNATURE_HEADER = 'x-failover-signature';

/** An answer that is sent back as a request must be none: each is signed as what it is. */
export type Said = 'request' | 'answer';

/** The shortest secret, characters. */
export const SECRET_LENGTH = 16;

/** Text, or the bytes of a file. */
export type Secret = string | Uint8Array;

export function signature(secret: Secret, said: Said, body: string | Uint8Array): string {
  const hmac = createHmac('sha256', secret).update(`failover-peers-1 ${said}\n`).update(body);
  return `sha256=${hmac.digest('hex')}`;
}

/** Whether a body was signed with this secret, in a time that tells nothing of the right signature. */
export function isSigned(
  secret: Secret,
  said: Said,
  { body, given }: { readonly body: Uint8Array; readonly given: unknown },
): boolean {
  if (typeof given !== 'string') return false;
  const expected = Buffer.from(signature(secret, said, body));
  const actual = Buffer.from(given);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
