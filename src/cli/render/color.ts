// Whether output is coloured: on a terminal, unless NO_COLOR; FORCE_COLOR decides over both.

/** What chalk calls a level: none, 16 colours, 256, or all of them. */
export type ColorLevel = 0 | 1 | 2 | 3;

/** The colours a stream gets. */
export function colorLevel(
  stream: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>> = process.env,
): ColorLevel {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forcedLevel(forced);
  const refused = env['NO_COLOR'];
  if (refused !== undefined && refused !== '') return 0;
  return stream.isTTY === true && env['TERM'] !== 'dumb' ? 1 : 0;
}

function forcedLevel(text: string): ColorLevel {
  if (text === '0' || text === 'false') return 0;
  if (text === '2') return 2;
  return text === '3' ? 3 : 1;
}
