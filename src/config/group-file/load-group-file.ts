// Reads a file of groups: the settings of each, checked as those of `failover run` are.
import { FailoverError } from '../../errors.ts';
import { endsByItself, parseLease } from '../lease-url.ts';
import type { RunOptions } from '../load.ts';
import { validateGroup } from '../names.ts';
import { OptionReader } from '../option-reader.ts';
import { optionOf } from '../options.ts';
import { NOT_OF_UP, PROCESS_KEYS, SERVER_KEYS } from '../up-options.ts';
import { refuseSameAddresses } from './addresses.ts';
import type { Listening } from './addresses.ts';
import { checkedOptions } from './check-options.ts';
import type { Checks } from './check-options.ts';
import { readDocument } from './document.ts';
import type { Entry, Part } from './document.ts';
import { FILE_WORDS, GROUPS_LIMIT, GROUP_WORDS, PROCESS_OPTIONS } from './keys.ts';
import { Unfit } from './interpolate.ts';
import { Problems } from './problems.ts';
import type { Place } from './problems.ts';
import { readText } from './read-text.ts';
import { NO_SETTINGS, over, readSettings, refuseUnknown } from './settings.ts';
import type { Reading, Settings } from './settings.ts';
import { Variables } from './variables.ts';

/** What `failover up` was told, by its flags, the environment and the file. */
export interface GroupFile {
  readonly path: string;
  /** What its groups have in common: the sockets, the directory and the log are as these say. */
  readonly common: RunOptions;
  readonly prefix: boolean;
  /** In the order of the file. */
  readonly groups: ReadonlyMap<string, RunOptions>;
  /** The command of each, or what it promotes with, as it stands in the file: for people. */
  readonly shown: ReadonlyMap<string, readonly string[]>;
}

interface Given {
  readonly path: string;
  /** Read while groups run: what is no file is refused, as they would all wait for it. Left out: at the start. */
  readonly isAgain?: boolean;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * A flag goes before the environment, that before the file, and that before the default.
 *
 * @throws FAILOVER_BAD_CONFIG with all that is wrong in the file; for a flag or a variable what `loadRunOptions` throws
 */
export function loadGroupFile({ path, flags, env, isAgain = false }: Given): GroupFile {
  const problems = new Problems(path);
  const root = readDocument(readText(path, !isAgain), problems);
  if (root === null) problems.throwIfAny();
  const entries = entriesOf(root, 'the file', problems);
  // For anchors, which have to stand somewhere.
  const own = new Map([...entries].filter(([key]) => !key.startsWith('x-')));
  refuseUnknown(own, { words: FILE_WORDS, name: 'the file' }, problems);
  const variables = entriesOf(own.get('variables')?.value, 'variables', problems);
  const { lookup, budget } = new Variables(variables, env);
  const reading = { problems, lookup, budget };
  refuseBadVariables(variables, reading);
  const ofProcess = readSettings(own, PROCESS_KEYS, reading);
  const named = readGroups(own, reading);
  const checks = { env, problems };
  const common = checkedProcess(ofProcess, { flags, named, ...checks });
  const prefix = readPrefix(ofProcess, { flags, ...checks });
  // What is wrong for all has been told, and is not told of each again.
  const shared = common === null ? NO_SETTINGS : saidOfProcess(ofProcess, { flags, env });
  const groups = new Map<string, RunOptions>();
  const shown = new Map<string, readonly string[]>();
  const listening: Listening[] = [];
  for (const [group, { place, settings, isName }] of named) {
    const all = over(settings, isOfMachines(settings, env) ? shared : withoutTcp(shared));
    const given = { flags: isName ? { group } : {}, env: withoutProcess(env), problems };
    const options = checkedOptions({ group, place, ...all }, given);
    if (options === null) continue;
    groups.set(group, options);
    shown.set(group, shownOf(all));
    listening.push({ group, place, settings: all, options });
  }
  const http = common?.http ?? null;
  const setting = ofProcess.values.get('http') ?? null;
  // A flag goes before the file.
  const server = { http, setting: setting?.text === http ? setting : null };
  refuseSameAddresses(listening, server, problems);
  problems.throwIfAny();
  if (common === null) throw new Error('what is wrong with the process was not told');
  return { path, common, prefix, groups, shown };
}

function shownOf({ values, command }: Settings): readonly string[] {
  if (command !== null) return command.written;
  const hook = values.get('promoteCommand');
  // Where the file does not say it, the environment does.
  return [hook?.written ?? hook?.text ?? `\${${optionOf('promoteCommand').variable}}`];
}

/** What a map says; one that is left empty says nothing. */
function entriesOf(
  part: Part | null | undefined,
  what: string,
  problems: Problems,
): ReadonlyMap<string, Entry> {
  if (part?.kind === 'map') return part.entries;
  if (part === null || part === undefined || part.kind === 'nothing') return new Map();
  problems.add(part, `Cannot use ${what}: it is a ${part.kind}`, 'Use keys with values.');
  return new Map();
}

/** Also of those that nothing refers to. */
function refuseBadVariables(
  entries: ReadonlyMap<string, Entry>,
  { problems, lookup }: Pick<Reading, 'problems' | 'lookup'>,
): void {
  for (const [name, { key, value }] of entries) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      const advice = 'Use letters, digits and _, starting with a letter.';
      problems.add(
        key,
        `Cannot use ${JSON.stringify(name)} in variables: it is not a valid name`,
        advice,
      );
    } else if (value.kind === 'nothing' || value.kind === 'list' || value.kind === 'map') {
      const what = value.kind === 'nothing' ? 'has no value' : `is a ${value.kind}`;
      problems.add(value, `Cannot use the variable ${name}: it ${what}`, VALUES);
    } else {
      tryToWorkOut(name, value, { problems, lookup });
    }
  }
}

const VALUES = 'Use a string, a number, or true or false.';

function tryToWorkOut(
  name: string,
  place: Place,
  { problems, lookup }: Pick<Reading, 'problems' | 'lookup'>,
): void {
  try {
    lookup(name);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    problems.add(place, `Cannot use the variable ${name}: it ${error.message}`, error.advice);
  }
}

interface NamedGroup {
  readonly place: Place;
  /** Whether a group may be called that. */
  readonly isName: boolean;
  readonly settings: Settings;
}

/** Each with what `defaults` say. */
function readGroups(
  own: ReadonlyMap<string, Entry>,
  reading: Reading,
): ReadonlyMap<string, NamedGroup> {
  const { problems } = reading;
  const shared = entriesOf(own.get('defaults')?.value, 'defaults', problems);
  refuseUnknown(shared, { words: GROUP_WORDS, name: 'defaults' }, problems);
  const defaults = readSettings(shared, GROUP_WORDS, reading);
  const groups = entriesOf(own.get('groups')?.value, 'groups', problems);
  const place = own.get('groups')?.key ?? { line: 1, column: 1 };
  if (groups.size === 0) {
    problems.add(place, 'Cannot run: there is no group', 'Add one to `groups`, with its command.');
  }
  if (groups.size > GROUPS_LIMIT) {
    const fact = `Cannot run ${String(groups.size)} groups`;
    problems.add(place, fact, `Use at most ${String(GROUPS_LIMIT)}.`);
    return new Map();
  }
  const named = new Map<string, NamedGroup>();
  for (const [name, { key, value }] of groups) {
    const isName = isNameOfGroup(name, key, problems);
    const entries = entriesOf(value, `group ${name}`, problems);
    refuseUnknown(entries, { words: GROUP_WORDS, name: `group ${name}` }, problems);
    const settings = over(readSettings(entries, GROUP_WORDS, reading), defaults);
    named.set(name, { place: key, isName, settings });
  }
  return named;
}

function isNameOfGroup(name: string, place: Place, problems: Problems): boolean {
  try {
    validateGroup(name, 'the group');
    return true;
  } catch (error) {
    if (!(error instanceof FailoverError)) throw error;
    problems.add(place, error.message, error.hint);
    return false;
  }
}

interface ProcessChecks extends Checks {
  readonly named: ReadonlyMap<string, NamedGroup>;
}

/** The process as a whole, with a lease that goes with what its sockets are told if there is such a group. */
function checkedProcess(
  settings: Settings,
  { named, ...checks }: ProcessChecks,
): RunOptions | null {
  const { env } = checks;
  const isOfSome = [...named.values()].some((group) => isOfMachines(group.settings, env));
  const place = { line: 1, column: 1 };
  const values = new Map(settings.values);
  values.delete('prefix');
  if (isOfSome) values.set('lease', { text: 'redis://127.0.0.1', ...place });
  const own = Object.fromEntries(PROCESS_VARIABLES.map((name) => [name, env[name]]));
  return checkedOptions(
    { group: null, place, values, command: { words: ['true'], written: ['true'] } },
    { ...checks, env: own },
  );
}

function readPrefix({ values }: Settings, { flags, env, problems }: Checks): boolean {
  const written = values.get('prefix');
  const file = typeof written?.text === 'string' ? { prefix: written.text } : {};
  const shown = written?.written === undefined ? {} : { prefix: written.written };
  try {
    return new OptionReader({ flags, env, file, written: shown }, 'run').boolean('prefix');
  } catch (error) {
    if (!(error instanceof FailoverError) || !error.message.startsWith('Cannot use prefix')) {
      throw error;
    }
    problems.add(written ?? { line: 1, column: 1 }, error.message, error.hint);
    return false;
  }
}

/** What holds for each group: as a file would say it, whoever has said it. */
function saidOfProcess(
  { values }: Settings,
  { flags, env }: Pick<Checks, 'flags' | 'env'>,
): Settings {
  const read = new OptionReader({ flags, env }, 'run');
  const said = new Map(values);
  for (const { key } of PROCESS_OPTIONS) {
    const text = read.isGiven(key) ? read.text(key) : null;
    if (text !== null) said.set(key, { text, line: 1, column: 1 });
  }
  for (const key of SERVER_KEYS) said.delete(key);
  return { values: said, command: null };
}

/** A group whose nodes are all on this machine says nothing to others, whatever the sockets could. */
function withoutTcp({ values, command }: Settings): Settings {
  return { values: new Map([...values].filter(([key]) => !OF_TCP.has(key))), command };
}

const OF_TCP: ReadonlySet<string> = new Set([
  ...['bind', 'advertise', 'keyFile', 'authorizedKeys', 'insecure'],
]);

/** Whether its nodes may be on several machines. What is no lease is none of those. */
function isOfMachines({ values }: Settings, env: Checks['env']): boolean {
  const said = (key: string): string | null => {
    const variable = env[optionOf(key).variable] ?? '';
    return variable === '' ? (values.get(key)?.text ?? null) : variable;
  };
  try {
    const address = parseLease(said('lease') ?? 'file');
    return endsByItself(address) || (address.kind === 'file' && said('leaseTtl') !== null);
  } catch {
    return false;
  }
}

function withoutProcess(env: Checks['env']): Checks['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OTHER_VARIABLES.has(name)));
}

const PROCESS_VARIABLES = PROCESS_OPTIONS.map(({ variable }) => variable);

/** What a group is not told by the environment. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  ...PROCESS_VARIABLES,
  ...NOT_OF_UP.map((key) => optionOf(key).variable),
]);
