// What a check says of flags, said of the keys of a file.
import { OPTIONS } from '../options.ts';

const KEY_OF_FLAG: ReadonlyMap<string, string> = new Map(
  OPTIONS.map(({ flag, key }) => [flag, key]),
);

/** `--restart-limit 3` becomes `restartLimit: 3`, unless it is a flag that was given. */
export function inFileTerms(text: string, givenFlags: ReadonlySet<string>): string {
  return text
    .replaceAll(/(--[a-z-]+)( (?=[^\s`]*`))?/g, (whole, flag: string, value?: string) => {
      const key = givenFlags.has(flag) ? undefined : KEY_OF_FLAG.get(flag);
      if (key === undefined) return whole;
      return value === undefined ? key : `${key}: `;
    })
    .replace(/ after --(?=[,.; ]|$)/, ' in `command`')
    .replace(', such as `failover run -- node server.js`', ', such as [node, server.js]');
}
