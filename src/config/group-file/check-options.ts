// The settings of one group as `failover run` would have them: what is wrong is told by its place in the file.
import { FailoverError } from '../../errors.ts';
import { loadRunOptions } from '../load.ts';
import type { RunOptions } from '../load.ts';
import { shortened } from '../quoted.ts';
import { quotedOpenly, redactUrl } from '../refused-url.ts';
import { PROCESS_OPTIONS } from './keys.ts';
import { inFileTerms } from './file-terms.ts';
import type { Place, Problems } from './problems.ts';
import type { Setting, Settings } from './settings.ts';

/** What is the same for every group that is checked. */
export interface Checks {
  /** Those of `failover up`: they are for the process. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly problems: Problems;
}

/** What is checked, and what to call it. */
export interface Subject extends Settings {
  /** The name of the group; null: the process as a whole. */
  readonly group: string | null;
  readonly place: Place;
}

/**
 * Null: something is wrong, which `problems` then tells of. What is wrong with single values is told of all; only
 * where each is right it is asked if they go together.
 *
 * @throws what is wrong with a flag or a variable, which has no place in a file
 */
export function checkedOptions(subject: Subject, checks: Checks): RunOptions | null {
  const { values, command } = subject;
  const { flags, env } = checks;
  const isGiven = ([, { text }]: readonly [string, Setting]): boolean => text !== null;
  const left = new Map([...values].filter(isGiven));
  let isRight = true;
  for (;;) {
    const file = Object.fromEntries([...left].map(([key, { text }]) => [key, text ?? '']));
    const written = Object.fromEntries(
      [...left].flatMap(([key, setting]) =>
        setting.written === undefined ? [] : [[key, setting.written]],
      ),
    );
    try {
      const options = loadRunOptions({
        ...{ flags, env, file, written },
        command: command?.words ?? [],
      });
      return isRight ? options : null;
    } catch (error) {
      if (!(error instanceof FailoverError)) throw error;
      const key = keyIn(error, left);
      if (key === null) {
        if (isRelation(error)) {
          if (isRight) tellOfRelation(error, subject, checks);
          return null;
        }
        throw error;
      }
      const at = left.get(key) ?? subject.place;
      checks.problems.add(at, openFact(error.message, { key, ...left.get(key) }), error.hint);
      left.delete(key);
      isRight = false;
    }
  }
}

/** Which value of the file it is about: messages begin with what they are about. */
function keyIn(
  { code, message }: FailoverError,
  values: ReadonlyMap<string, Setting>,
): string | null {
  if (!ABOUT_ONE.has(code)) return null;
  const [, word = ''] = /^Cannot use (?:the node of )?(\S+?):? /.exec(message) ?? [];
  return values.has(word) ? word : null;
}

/** What is said of a value, without what was put in for its variables and without what is secret in a URL. */
function openFact(
  message: string,
  { key, text = null, written }: Partial<Setting> & { readonly key: string },
): string {
  if (written === undefined) {
    return text?.includes('://') === true
      ? message.replaceAll(shortened(text), redactUrl(text))
      : message;
  }
  const start = `Cannot use ${key}: ${quotedOpenly(written)} `;
  // Others may repeat any part of it.
  return message.startsWith(start) ? message : `${start}is invalid with its variables`;
}

const ABOUT_ONE: ReadonlySet<string> = new Set(['FAILOVER_BAD_OPTION', 'FAILOVER_BAD_NODE_ID']);

function isRelation({ code }: FailoverError): boolean {
  return code === 'FAILOVER_SETTINGS_CONFLICT' || code === 'FAILOVER_USAGE';
}

/** It stands where the last of the settings stands that it names, or with the group. */
function tellOfRelation(error: FailoverError, subject: Subject, checks: Checks): void {
  const given = PROCESS_OPTIONS.filter(({ key }) => checks.flags[key] !== undefined);
  const flags = new Set(given.map(({ flag }) => flag));
  const fact = inFileTerms(error.message.replace(/^Cannot run: /, ''), flags);
  const words: ReadonlySet<string> = new Set(fact.split(/[\s`,;:]+/));
  const named = [...subject.values].filter(([key]) => words.has(key)).map(([, value]) => value);
  // What a group says itself stands below the defaults.
  const last = named.toSorted((a, b) => a.line - b.line).at(-1);
  const who = subject.group === null ? 'run' : `run group ${subject.group}`;
  const place = last ?? subject.place;
  checks.problems.add(place, `Cannot ${who}: ${fact}`, inFileTerms(error.hint, flags));
}
