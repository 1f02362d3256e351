// What a terminal in raw mode sends for the keys of the live view.

/** The keys that have names; any other is the character itself. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ...aliases('up', ['\u001b[A', '\u001bOA', 'k']),
  ...aliases('down', ['\u001b[B', '\u001bOB', 'j']),
  ...aliases('page-up', ['\u001b[5~', '\u0002']),
  ...aliases('page-down', ['\u001b[6~', '\u0006', ' ']),
  ...aliases('first', ['\u001b[H', '\u001bOH', '\u001b[1~', 'g']),
  ...aliases('last', ['\u001b[F', '\u001bOF', '\u001b[4~', 'G']),
  ...aliases('enter', ['\r', '\n']),
  ...aliases('escape', ['\u001b']),
  ...aliases('ctrl-c', ['\u0003', '\u0004']),
  ...aliases('ctrl-z', ['\u001a']),
  ...aliases('ctrl-l', ['\u000c']),
]);

/** One key after the other; sequences of keys that the view does not know come as they are. */
export function keysIn(input: string): readonly string[] {
  const sequences = input.match(SEQUENCE) ?? [];
  return sequences.map((sequence) => NAMES.get(sequence) ?? sequence);
}

/** As it stands in a regular expression, where it may not stand as it is. */
const ESCAPE = String.raw`\u001b`;

/** What begins with an escape character belongs together; alone it is the key itself. */
const SEQUENCE = new RegExp(
  `${ESCAPE}\\[[0-9;]*[A-Za-z~]|${ESCAPE}O[A-Za-z]|${ESCAPE}[^]?|[^]`,
  'gu',
);

function aliases(name: string, sequences: readonly string[]): (readonly [string, string])[] {
  return sequences.map((sequence) => [sequence, name]);
}
