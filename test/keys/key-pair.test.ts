// Keys as ZeroMQ takes them, made and read without it.
import { describe, expect, it } from 'vitest';
import { curveKeyPair } from 'zeromq';
import { generateKeyPair, keyPairOf } from '../../src/keys/key-pair.ts';
import { decodeKey, encodeKey } from '../../src/keys/z85.ts';

describe('a key', () => {
  it('as text is that of the manual of ZeroMQ, zmq_curve(7)', () => {
    const [publicKey, secretKey] = [
      'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7',
      'JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6',
    ];
    const bytes = '8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b7';
    expect(encodeKey(Buffer.from(bytes, 'hex'))).toBe(secretKey);
    expect(decodeKey(secretKey)?.toString('hex')).toBe(bytes);
    expect(keyPairOf(secretKey)).toEqual({ publicKey, secretKey });
  });

  it.each([
    ['too short', 'a'.repeat(39)],
    ['too long', 'a'.repeat(41)],
    ['with a blank', `${'a'.repeat(39)} `],
    ['with a character that is none', `${'a'.repeat(39)}é`],
    ['with a group that is too large', `${'a'.repeat(35)}#####`],
  ])('%s is none', (_, text) => {
    expect(decodeKey(text)).toBeNull();
    expect(keyPairOf(text)).toBeNull();
  });

  it('never begins as a comment does', () => {
    expect(encodeKey(Buffer.alloc(32, 0xff)).startsWith('%')).toBe(true);
    expect(decodeKey(`#0000${'0'.repeat(35)}`)).toBeNull();
  });

  it('has the public half that ZeroMQ gives it', () => {
    for (let n = 0; n < 20; n += 1) {
      const pair = curveKeyPair();
      expect(keyPairOf(pair.secretKey)).toEqual(pair);
    }
  });

  it('that was made is read back, and is another each time', () => {
    const [one, other] = [generateKeyPair(), generateKeyPair()];
    expect(keyPairOf(one.secretKey)).toEqual(one);
    expect(one.publicKey).not.toBe(other.publicKey);
  });
});
