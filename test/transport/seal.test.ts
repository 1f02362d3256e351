// Signatures: what they let through, and that nodes with another secret, or none, are told apart from noise.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEAL_BYTES, Seal } from '../../src/transport/seal.ts';

const secret = Buffer.from('a secret of the group');
const seal = new Seal(secret);
const open = (other: Seal, text: string, label = 'web/heartbeat'): unknown => {
  const opened = other.open(label, Buffer.from(text));
  return 'distrusted' in opened ? opened.distrusted : Buffer.from(opened.body).toString();
};

describe('a signature', () => {
  it('is HMAC-SHA-256 over the kind of message and the message', () => {
    const signed = new Seal(Buffer.from('key')).sign('a', 'b');
    // As `printf 'a\0b' | openssl dgst -sha256 -hmac key` says.
    expect(signed).toBe(
      'hmac-sha256 29c5f0eea2d0a51b661193b3a56191192b2861f543ea0499a7f9725f7e7062fc b',
    );
    expect(signed).toHaveLength(SEAL_BYTES + 1);
  });

  it('lets through what it was made for, whatever that is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (body, label) => {
        expect(open(seal, seal.sign(label, body), label)).toBe(Buffer.from(body).toString());
      }),
    );
  });

  it('does not hold for another kind of message, another text or another secret', () => {
    const signed = seal.sign('web/heartbeat', '{"epoch":1}');
    expect(open(seal, signed, 'web/shutdown')).toBe('bad-signature');
    expect(open(seal, signed.replace('1}', '2}'))).toBe('bad-signature');
    expect(open(seal, `${signed} `)).toBe('bad-signature');
    expect(open(new Seal(randomBytes(32)), signed)).toBe('bad-signature');
  });

  it('is missed, and not expected, where only one side has a secret', () => {
    expect(open(seal, '{"epoch":1}')).toBe('unsigned');
    expect(open(new Seal(null), seal.sign('web/heartbeat', '{}'))).toBe('unexpected-signature');
    expect(open(new Seal(null), '{"epoch":1}')).toBe('{"epoch":1}');
  });

  it('is refused in one way or the other, however it is bent', () => {
    const signed = Buffer.from(seal.sign('web/heartbeat', '{"epoch":1}'));
    fc.assert(
      fc.property(fc.nat(signed.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const bent = Buffer.from(signed);
        bent[at] = (bent[at] ?? 0) ^ bits;
        expect(seal.open('web/heartbeat', bent)).toHaveProperty('distrusted');
      }),
    );
    for (let length = 0; length < signed.length; length += 1) {
      expect(seal.open('web/heartbeat', signed.subarray(0, length))).toHaveProperty('distrusted');
    }
  });
});
