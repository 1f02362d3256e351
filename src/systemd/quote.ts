// Words of a command line as systemd reads them, by systemd.service(5) and systemd.syntax(7).
import { FailoverError } from '../errors.ts';

/**
 * One word of `ExecStart=`: specifiers (`%`) and variables (`$`) stand for themselves.
 *
 * @throws FAILOVER_USAGE for a control character, a newline for one: a unit has a line for each setting
 */
export function execWord(word: string): string {
  refuseControls(word);
  return quoted(word.replaceAll('%', '%%').replaceAll('$', '$$$$'));
}

/** A path as the value of another setting, where variables mean nothing. @throws as above */
export function pathValue(path: string): string {
  refuseControls(path);
  return path.replaceAll('%', '%%');
}

/** As `execWord`, where variables mean nothing: of `Environment=`. */
export function assignment(name: string, value: string): string {
  refuseControls(value);
  return quoted(`${name}=${value.replaceAll('%', '%%')}`);
}

function quoted(text: string): string {
  // A lone semicolon would begin another command, and a comment ends nothing in the middle of a line.
  if (/^[\w@%+=:,./$-]+$/.test(text)) return text;
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function refuseControls(text: string): void {
  if (!/\p{Cc}/u.test(text)) return;
  const shown = JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
  throw new FailoverError(
    'FAILOVER_USAGE',
    `Cannot write a unit: ${shown} has a line break or another control character`,
    { hint: 'Put it into a script, and use the path of that.' },
  );
}

const SHOWN = 60;
