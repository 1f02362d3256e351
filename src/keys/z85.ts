// Keys as text, in the encoding that ZeroMQ gives them: Z85, https://rfc.zeromq.org/spec/32/.

const ALPHABET =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';

/** A key has 32 bytes, and 40 characters as text. */
const KEY_BYTES = 32;
const KEY_LENGTH = 40;

/** @param key of 32 bytes */
export function encodeKey(key: Buffer): string {
  let text = '';
  for (let offset = 0; offset < KEY_BYTES; offset += 4) {
    const value = key.readUInt32BE(offset);
    for (const weight of WEIGHTS) text += ALPHABET.charAt(Math.floor(value / weight) % 85);
  }
  return text;
}

/** The 32 bytes of a key; null: the text is none. */
export function decodeKey(text: string): Buffer | null {
  if (text.length !== KEY_LENGTH) return null;
  const key = Buffer.alloc(KEY_BYTES);
  for (let group = 0; group < KEY_LENGTH / 5; group += 1) {
    let value = 0;
    for (const character of text.slice(group * 5, group * 5 + 5)) {
      const digit = ALPHABET.indexOf(character);
      if (digit === -1) return null;
      value = value * 85 + digit;
    }
    if (value > 0xff_ff_ff_ff) return null;
    key.writeUInt32BE(value, group * 4);
  }
  return key;
}

/** Of each character in a group of five. */
const WEIGHTS = [85 ** 4, 85 ** 3, 85 ** 2, 85, 1] as const;
