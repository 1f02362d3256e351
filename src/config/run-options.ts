// Settings from a program: what it left out comes from the option table, and the environment is not read.
import { FailoverError } from '../errors.ts';
import { parseDuration } from './duration.ts';
import { loadRunOptions } from './load.ts';
import type { RunOptions } from './load.ts';
import { onlyGiven } from './only-given.ts';
import { optionOf } from './options.ts';

/** Settings as a program gives them; `null` and `undefined` stand for the default. */
export type GivenRunOptions = {
  readonly [Key in keyof RunOptions]?: RunOptions[Key] | null | undefined;
};

/**
 * The settings of a node with the defaults filled in, checked like those of the command line.
 *
 * @throws FAILOVER_BAD_OPTION for a value or a name, FAILOVER_BAD_GROUP, FAILOVER_BAD_NODE_ID,
 * FAILOVER_SETTINGS_CONFLICT, FAILOVER_USAGE when there is neither a command nor a promote command.
 */
export function runOptionsOf(given: GivenRunOptions): RunOptions {
  const { retryBackoffMinMs, retryBackoffMaxMs, command, ...rest } = given;
  const flags: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(onlyGiven(rest))) {
    requireKnown(key);
    if (key.endsWith('Ms')) flags[key.slice(0, -2)] = `${String(value)}ms`;
    else flags[key] = value;
  }
  if (isGiven(retryBackoffMinMs) || isGiven(retryBackoffMaxMs)) {
    const [minMs, maxMs] = defaultBackoff();
    const from = String(retryBackoffMinMs ?? minMs);
    const to = String(retryBackoffMaxMs ?? maxMs);
    flags['retryBackoff'] = `${from}ms..${to}ms`;
  }
  return loadRunOptions({ flags, env: {}, command: wordsOf(command ?? []) });
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** A program without types may give anything. */
function wordsOf(command: unknown): readonly string[] {
  if (Array.isArray(command) && command.every((word) => typeof word === 'string')) return command;
  throw new FailoverError(
    'FAILOVER_BAD_OPTION',
    'Cannot use command: it is not a list of strings',
    {
      details: { option: 'command', expected: "a list, such as ['node', 'server.js']" },
    },
  );
}

/** A misspelt name would otherwise be a default that nobody notices. */
function requireKnown(key: string): void {
  if (KNOWN.has(key)) return;
  throw new FailoverError('FAILOVER_BAD_OPTION', `Cannot use the option ${key}: there is none`, {
    hint: `Known options: ${[...KNOWN].join(', ')}.`,
  });
}

const KNOWN: ReadonlySet<string> = new Set(
  Object.keys(loadRunOptions({ flags: {}, env: {}, command: ['true'] })),
);

function defaultBackoff(): readonly [minMs: number, maxMs: number] {
  const [from = '', to = ''] = (optionOf('retryBackoff').default ?? '').split('..');
  return [parseDuration(from), parseDuration(to)];
}
