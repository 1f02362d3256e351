// What a careless or hostile writer would send: odd texts, odd numbers, odd JSON, and bytes bent a little.
import fc from 'fast-check';

/** Names that every object knows, and texts that steer terminals, end strings or break encodings. */
const ODD_TEXTS = [
  '',
  '.',
  '..',
  '../../etc',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'NaN',
  '-0',
  '1e999',
  '\u0000',
  'a\u0000b',
  'a\nb',
  'a\r\nb',
  '\u001b[2J\u001b[31m',
  '\u009b31m',
  '\u001b]0;title\u0007',
  '\u202egnp.exe',
  '\u2028',
  '\ud800',
  '\udc00\ud800',
  '\ufeffa',
  'ä'.repeat(64),
  'a'.repeat(64),
  'a'.repeat(65),
  'a'.repeat(129),
  'a'.repeat(5000),
  '%s%n',
  '$(id)',
  '`id`',
  '{group}',
] as const;

export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...ODD_TEXTS),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);

const oddNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    0.5,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    1e300,
    -1e300,
    5e-324,
  ),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Any value that JSON can carry, `__proto__` among its keys. */
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  oddNumber,
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom([], {}, [[]], [null]),
);

/** JSON texts that no `JSON.stringify` writes. */
const rawJson: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '1e999',
    '-1e999',
    '-0',
    'NaN',
    'Infinity',
    '"\\ud800"',
    '"\\u0000\\u001b[2J"',
    '9007199254740993',
    '1'.repeat(400),
  ),
  fc.nat(3000).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.nat(3000).map((depth) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)),
);

/** An object with some fields replaced, removed, given twice or added, as JSON. */
export function bentJson(like: object): fc.Arbitrary<string> {
  const keys = Object.keys(like);
  const change = fc.record({
    key: fc.constantFrom(...keys, '__proto__', 'constructor', 'toString'),
    how: fc.constantFrom('replace', 'remove', 'twice'),
    text: fc.oneof({ weight: 3, arbitrary: oddValue.map(stringify) }, rawJson),
  });
  return fc.array(change, { minLength: 0, maxLength: 3 }).map((changes) => {
    const fields = Object.entries(like).map(([key, value]) => [key, stringify(value)] as const);
    const bent = changes.reduce<(readonly [string, string])[]>((entries, { key, how, text }) => {
      const others = entries.filter(([name]) => name !== key);
      if (how === 'remove') return others;
      return how === 'twice' ? [...entries, [key, text]] : [...others, [key, text]];
    }, fields);
    return `{${bent.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`;
  });
}

/** The same for one of its objects; the rest stays as it is. */
export function bentPart<T extends object>(
  like: T,
  key: keyof T & string,
  part: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  const others = Object.entries(like).filter(([name]) => name !== key);
  const rest = others
    .map(([name, value]) => `,${JSON.stringify(name)}:${stringify(value)}`)
    .join('');
  return part.map((text) => `{${JSON.stringify(key)}:${text}${rest}}`);
}

/** Bytes of a text that is nearly right: cut, doubled, or with one byte changed. */
export function bentBytes(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  const bend = fc.record({
    how: fc.constantFrom('none', 'none', 'cut', 'flip', 'double', 'prefix'),
    at: fc.nat(),
    byte: fc.nat(255),
  });
  return fc.tuple(text, bend).map(([whole, { how, at, byte }]) => {
    const bytes = Buffer.from(whole);
    const place = bytes.length === 0 ? 0 : at % bytes.length;
    if (how === 'cut') return bytes.subarray(0, place);
    if (how === 'double') return Buffer.concat([bytes, bytes]);
    if (how === 'prefix') return Buffer.concat([Buffer.from([byte]), bytes]);
    if (how === 'flip' && bytes.length > 0) bytes[place] = byte;
    return bytes;
  });
}

/** Bytes of any kind. */
export const anyBytes: fc.Arbitrary<Buffer> = fc
  .uint8Array({ maxLength: 300 })
  .map((bytes) => Buffer.from(bytes));

/** As JSON.stringify, but what it leaves out is null. */
function stringify(value: unknown): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}
