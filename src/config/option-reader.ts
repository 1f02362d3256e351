// Reads one option at a time from flag, environment or default, and names the source in its errors.
import { constants } from 'node:os';
import { FailoverError } from '../errors.ts';
import { parseAdvertise, parseBind } from './bind.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { parseLease } from './lease-url.ts';
import { parseHealthCheck } from './health-check.ts';
import { validateGroup, validateNodeId } from './names.ts';
import { OUTPUT_VARIABLES, optionOf } from './options.ts';
import type { OptionSpec } from './options.ts';
import { parseOwnAddress, parsePeerAddresses } from './peer-address.ts';
import { parseHttpAddress, parseListen, parseTarget } from './proxy-address.ts';
import { shortened } from './quoted.ts';
import { parseReadyWhen } from './ready-when.ts';
import { quotedOpenly, redactUrl } from './refused-url.ts';
import { formatSize, parseSize } from './size.ts';

/** Where settings come from. */
export interface Given {
  /** By key (`heartbeatInterval`), as a flag parser hands them over; absent ones `undefined`. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a file says, by key: it goes before the default only. Left out: there is none. */
  readonly file?: Readonly<Record<string, string>>;
  /** What messages show of that, by key: what was put in for a variable may be secret. Left out: all of it. */
  readonly written?: Readonly<Record<string, string>>;
}

/** The text of one option, and what to call it in a message: its flag, its variable, or its key in the file. */
interface Found {
  readonly text: string;
  /** The same, as a message shows it. */
  readonly shown: string;
  readonly source: string;
  readonly isDefault: boolean;
}

/** A reader of options; every method throws FAILOVER_BAD_OPTION for a value it can't take. */
export class OptionReader {
  readonly #given: Given;
  readonly #reader: 'run' | 'clients' | 'proxy';

  constructor(given: Given, reader: 'run' | 'clients' | 'proxy') {
    this.#given = given;
    this.#reader = reader;
  }

  /** The text of an option, or `null` when it has neither value nor default. */
  text(key: string): string | null {
    const found = this.#find(optionOf(key));
    if (found === null) return null;
    if (found.text.trim() === '') throw refuse(found, 'is empty', 'a value');
    if (found.text.includes('\0'))
      throw refuse(found, 'has a NUL character', 'a string without NUL');
    return found.text;
  }

  /** @throws FAILOVER_BAD_GROUP when it is no name of a group. */
  group(key: string): string {
    const found = this.#require(key);
    return validateGroup(found.text, found.source);
  }

  /** @throws FAILOVER_BAD_NODE_ID when it is given and no id of a node. */
  nodeId(key: string): string | null {
    const found = this.#find(optionOf(key));
    return found === null ? null : validateNodeId(found.text, found.source);
  }

  /** Whether somebody said it, be it what would be so by itself. */
  isGiven(key: string): boolean {
    return this.#find(optionOf(key))?.isDefault === false;
  }

  oneOf<Choice extends string>(key: string, choices: readonly Choice[]): Choice {
    const found = this.#require(key);
    const choice = choices.find((candidate) => candidate === found.text);
    if (choice !== undefined) return choice;
    throw refuse(found, 'is not a valid value', `one of ${choices.join(', ')}`);
  }

  /** True or false; in the environment also 1, yes, on and 0, no, off. */
  boolean(key: string): boolean {
    const found = this.#require(key);
    if (/^(true|1|yes|on)$/i.test(found.text)) return true;
    if (/^(false|0|no|off)$/i.test(found.text)) return false;
    throw refuse(found, 'is neither true nor false', 'true or false');
  }

  integer(key: string): number {
    const option = optionOf(key);
    const found = this.#require(key);
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = option;
    const limits = `a whole number from ${String(min)} to ${String(max)}`;
    if (!/^-?\d+$/.test(found.text)) throw refuse(found, 'is not a whole number', limits);
    const value = Number(found.text);
    if (value < min) throw refuse(found, `is less than ${String(min)}`, limits);
    if (value > max) throw refuse(found, `is more than ${String(max)}`, limits);
    return value;
  }

  /** Bytes. */
  size(key: string): number {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = optionOf(key);
    const found = this.#require(key);
    const bytes = parseSize(found.text, found.source);
    if (bytes >= min && bytes <= max) return bytes;
    const [fact, limit] = bytes < min ? ['less', min] : ['more', max];
    const bound = bytes < min ? 'at least' : 'at most';
    const expected = `a size of ${bound} ${formatSize(limit)}`;
    throw refuse(found, `is ${fact} than ${formatSize(limit)}`, expected);
  }

  /** What to call an option in a message: its flag, or its variable. */
  sourceOf(key: string): string {
    const option = optionOf(key);
    return this.#find(option)?.source ?? option.flag;
  }

  /** Milliseconds. */
  duration(key: string): number {
    const found = this.#require(key);
    return checkedDuration(optionOf(key), found, found.text);
  }

  /** Milliseconds; null when it is not given. */
  optionalDuration(key: string): number | null {
    const found = this.#find(optionOf(key));
    return found === null ? null : checkedDuration(optionOf(key), found, found.text);
  }

  /** What decides who leads, as it was written, once it is known to name something. */
  lease(key: string): string {
    const found = this.#require(key);
    parseLease(found.text, found.source);
    return found.text;
  }

  /** Where to listen, as it was written, once it is known to be an address. */
  bind(key: string): string {
    const found = this.#require(key);
    parseBind(found.text, found.source);
    return found.text;
  }

  /** Where others connect to, as it was written; null when it is not given. */
  advertise(key: string): string | null {
    const found = this.#find(optionOf(key));
    if (found !== null) parseAdvertise(found.text, found.source);
    return found?.text ?? null;
  }

  /** Where clients connect to, as it was written; null when it is not given. */
  listen(key: string): string | null {
    const found = this.#find(optionOf(key));
    if (found !== null) parseListen(found.text, found.source);
    return found?.text ?? null;
  }

  /** Where health checks are answered, as it was written; null when it is not given. */
  httpAddress(key: string): string | null {
    const found = this.#find(optionOf(key));
    if (found !== null) parseHttpAddress(found.text, found.source);
    return found?.text ?? null;
  }

  /** Where the command is reached, in one spelling; null when it is not given. */
  target(key: string): string | null {
    const found = this.#find(optionOf(key));
    return found === null ? null : parseTarget(found.text, found.source).url;
  }

  /**
   * The addresses of peers, as they were written, once each is known to be one; null when none are given.
   *
   * @param readsVariable false: it is for a command that elects by itself, and is not this node's
   */
  peers(key: string, readsVariable: boolean): string | null {
    const text = this.text(key);
    const source = this.sourceOf(key);
    if (text === null || (!readsVariable && source === optionOf(key).variable)) return null;
    parsePeerAddresses(text, source);
    return text;
  }

  /** Where its peers reach this node, which listens there; null when it is not given. */
  peerAddress(key: string): string | null {
    const found = this.#find(optionOf(key));
    return found === null ? null : parseOwnAddress(found.text, found.source);
  }

  /** Two durations in milliseconds, the first not longer than the second. */
  durationRange(key: string): readonly [minMs: number, maxMs: number] {
    const option = optionOf(key);
    const found = this.#require(key);
    const [from, to, ...rest] = found.text.split('..');
    if (from === undefined || to === undefined || rest.length > 0) {
      throw refuse(
        found,
        'is not a range',
        `two durations, such as ${option.default ?? '1s..30s'}`,
      );
    }
    const minMs = checkedDuration(option, found, from);
    const maxMs = checkedDuration(option, found, to);
    if (minMs > maxMs) throw refuse(found, 'starts with the longer one', 'the shorter one first');
    return [minMs, maxMs];
  }

  /** A signal by its name, with or without SIG; `null` when it is not given. */
  signal(key: string): NodeJS.Signals | null {
    const found = this.#find(optionOf(key));
    if (found === null) return null;
    const upper = found.text.toUpperCase();
    const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
    if (!isSignal(name)) throw refuse(found, 'is no signal', 'a signal, such as SIGUSR1');
    if (name === 'SIGKILL' || name === 'SIGSTOP') {
      throw refuse(found, 'cannot be handled by a process', 'a signal, such as SIGUSR1');
    }
    return name;
  }

  /** A readiness condition as it was written, once it is known to be one. */
  readyWhen(key: string): string | null {
    const found = this.#find(optionOf(key));
    if (found === null) return null;
    parseReadyWhen(found.text, found.source);
    return found.text;
  }

  /** A health check as it was written, once it is known to be one; null when it is not given. */
  healthCheck(key: string): string | null {
    const found = this.#find(optionOf(key));
    if (found !== null) parseHealthCheck(found.text, found.source);
    return found?.text ?? null;
  }

  /** An option with its value for a message: `--heartbeat-timeout 2s (default)`. */
  shown(key: string): string {
    const option = optionOf(key);
    const found = this.#find(option);
    if (found === null) return option.flag;
    if (option.kind === 'boolean' && found.source === option.flag) return option.flag;
    const isUrl = key === 'lease' || found.shown.includes('://');
    const text = isUrl ? redactUrl(found.shown) : shortened(found.shown);
    const value = found.source === option.variable ? `=${text}` : ` ${text}`;
    return `${found.source}${value}${found.isDefault ? ' (default)' : ''}`;
  }

  #require(key: string): Found {
    const found = this.#find(optionOf(key));
    if (found === null) throw new Error(`the option ${key} has no default`);
    return found;
  }

  #find(option: OptionSpec): Found | null {
    const flag = this.#given.flags[option.key];
    if (typeof flag === 'string' || typeof flag === 'boolean' || typeof flag === 'number') {
      const text = String(flag);
      return { text, shown: text, source: option.flag, isDefault: false };
    }
    const variable = this.#reads(option) ? this.#given.env[option.variable] : undefined;
    if (variable !== undefined && variable !== '') {
      return { text: variable, shown: variable, source: option.variable, isDefault: false };
    }
    const text = this.#given.file?.[option.key];
    if (text !== undefined) {
      const shown = this.#given.written?.[option.key] ?? text;
      return { text, shown, source: option.key, isDefault: false };
    }
    if (option.default === null) return null;
    const { default: usual, flag: source } = option;
    return { text: usual, shown: usual, source, isDefault: true };
  }

  #reads(option: OptionSpec): boolean {
    const isRead = option.variableReadBy.split(' and ').includes(this.#reader);
    return isRead && !OUTPUT_VARIABLES.includes(option.variable);
  }
}

function checkedDuration(option: OptionSpec, found: Found, text: string): number {
  const { min = 0, max = Number.POSITIVE_INFINITY } = option;
  const valueMs = parseDuration(text, found.source);
  if (valueMs < min) {
    const limit = formatDuration(min);
    throw refuse(found, `is shorter than ${limit}`, `a duration of at least ${limit}`);
  }
  if (valueMs > max) {
    const limit = formatDuration(max);
    throw refuse(found, `is longer than ${limit}`, `a duration of at most ${limit}`);
  }
  return valueMs;
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name);
}

/** An error that names the source, the value, the fact, and in its hint what to give instead. */
function refuse(found: Found, fact: string, expected: string): FailoverError {
  const message = `Cannot use ${found.source}: ${quotedOpenly(found.shown)} ${fact}`;
  return new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: found.source, expected },
  });
}
