// The key of a node: X25519, as ZeroMQ's CURVE uses it, both halves as text.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { decodeKey, encodeKey } from './z85.ts';

/** Both as 40 characters. */
export interface KeyPair {
  readonly publicKey: string;
  /** Whoever has it is the node: it goes into no message. */
  readonly secretKey: string;
}

export function generateKeyPair(): KeyPair {
  const { privateKey } = generateKeyPairSync('x25519');
  return pairOf(privateKey, encodeKey(tailOf(privateKey.export(SECRET_FORM))));
}

/** The pair that a secret key is half of; null: it is no key. */
export function keyPairOf(secretKey: string): KeyPair | null {
  const bytes = decodeKey(secretKey);
  if (bytes === null) return null;
  const key = Buffer.concat([SECRET_HEAD, bytes]);
  return pairOf(createPrivateKey({ key, ...SECRET_FORM }), secretKey);
}

function pairOf(privateKey: KeyObject, secretKey: string): KeyPair {
  const exported = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { publicKey: encodeKey(tailOf(exported)), secretKey };
}

const SECRET_FORM = { type: 'pkcs8', format: 'der' } as const;

/** What stands before the 32 bytes of a secret key in that form (RFC 8410). */
const SECRET_HEAD: Buffer = Buffer.from('302e020100300506032b656e04220420', 'hex');

function tailOf(der: Buffer): Buffer {
  return der.subarray(-32);
}
