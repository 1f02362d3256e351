// Signatures with a secret that the nodes of a group share: HMAC-SHA-256 (RFC 2104) in front of what is signed.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Distrust } from './counters.ts';

export type Opened =
  | { readonly body: Uint8Array; readonly isSigned: boolean }
  | { readonly distrusted: Extract<Distrust, `${string}signature` | 'unsigned'> };

/** What all messages of a process are signed and checked with; without a secret they go as they are. */
export class Seal {
  readonly #secret: Buffer | null;

  constructor(secret: Buffer | null) {
    this.#secret = secret;
  }

  get hasSecret(): boolean {
    return this.#secret !== null;
  }

  /** @param label what kind of message it is: one of another kind is not taken for it */
  sign(label: string, body: string): string {
    if (this.#secret === null) return body;
    return headOf(this.#secret, label, Buffer.from(body)).toString() + body;
  }

  /** Total: no bytes make it throw. */
  open(label: string, bytes: Uint8Array): Opened {
    const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isSigned = frame.subarray(0, HEAD.length).equals(HEAD_BYTES);
    if (this.#secret === null) {
      return isSigned ? { distrusted: 'unexpected-signature' } : { body: bytes, isSigned };
    }
    if (!isSigned) return { distrusted: 'unsigned' };
    const body = frame.subarray(SEAL_BYTES);
    const claimed = frame.subarray(0, SEAL_BYTES);
    const head = headOf(this.#secret, label, body);
    const holds = claimed.length === head.length && timingSafeEqual(claimed, head);
    return holds ? { body, isSigned } : { distrusted: 'bad-signature' };
  }
}

const HEAD = 'hmac-sha256 ';
const HEAD_BYTES: Buffer = Buffer.from(HEAD);

/** What a signature adds to a message: its name, 64 hexadecimal digits and a blank. */
export const SEAL_BYTES: number = HEAD.length + 64 + 1;

/** What stands in front of a message. */
function headOf(secret: Buffer, label: string, body: Buffer): Buffer {
  const mac = createHmac('sha256', secret).update(`${label}\0`).update(body);
  return Buffer.from(`${HEAD}${mac.digest('hex')} `);
}
