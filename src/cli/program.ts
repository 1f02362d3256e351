// Every command of the command line, built from the option table; each loads its own code when it runs.
import { Command, CommanderError, Option } from 'commander';
import { loadClientOptions, loadRunOptions } from '../config/load.ts';
import type { ClientOptions } from '../config/load.ts';
import { formatDuration, parseDuration } from '../config/duration.ts';
import { validateNodeId } from '../config/names.ts';
import { OPTIONS, optionOf } from '../config/options.ts';
import type { OptionSpec } from '../config/options.ts';
import { MAX_MS } from '../config/row-kinds.ts';
import { EXIT_CODES, FailoverError } from '../errors.ts';
import { packageVersion } from '../version.ts';
import { notesOf } from './command-notes.ts';

/** What a command's parsed flags are, by key; each is checked before it is used. */
type Flags = Readonly<Record<string, unknown>>;

/**
 * Parses and runs one command line, without the program's own two entries.
 *
 * @throws FAILOVER_USAGE for an unknown flag or command, named, with the nearest known one; what the
 * command throws
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = createProgram();
  try {
    await program.parseAsync([...asked(program, args)], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    // Without a command there is nothing to refuse: the help is the answer, on stderr.
    if (error.code === 'commander.help') process.exitCode = 2;
    else throw usageError(error, helpOf(program, args));
  }
}

/** Help for an unknown command is read as that command, which is refused: the parser would show all help. */
function asked(program: Command, args: readonly string[]): readonly string[] {
  const [first, name] = args;
  if (first !== 'help' || name === undefined || name.startsWith('-')) return args;
  return name === 'help' || isCommand(program, name) ? args : [name];
}

/** The parser. Exported for its tests. */
export function createProgram(): Command {
  const program = new Command('failover');
  program
    .description('Keeps one copy of a command active: the others stand by, and one takes over.')
    .version(packageVersion(), '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .usage('COMMAND [options]')
    .helpCommand('help [command]', 'show the options of a command')
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({ outputError: () => undefined })
    .addHelpText('after', ROOT_NOTES);
  addRun(program);
  addLooking(program);
  addSimulate(program);
  addDrill(program);
  addChanges(program);
  addKeygen(program);
  return program;
}

function addRun(program: Command): void {
  const command = addCommand(program, {
    name: 'run',
    summary: 'start a node: its command is active while it is the primary',
    example: 'failover run --group web -- node server.js',
  });
  for (const option of OPTIONS) addOption(command, option);
  command
    .argument('[command...]', 'the workload and its arguments, after --')
    .usage('[options] [-- command args…]')
    .passThroughOptions()
    .action(async (words: string[], flags: Flags) => {
      const options = loadRunOptions({ flags, env: process.env, command: words });
      const { run } = await import('./commands/run.ts');
      await run(options);
    });
}

/** The commands that change nothing. */
function addLooking(program: Command): void {
  addClient(program, {
    name: 'status',
    summary: 'show who is primary, who stands by and what is wrong',
    example: 'failover status --group web --watch',
  })
    .addOption(server())
    .option('--json', 'Print one JSON object.')
    .option('--watch', 'Go on and show each change until Ctrl-C.')
    .action(async (flags: Flags) => {
      const { status } = await import('./commands/status.ts');
      await status({ ...client(flags), json: is(flags, 'json'), watch: is(flags, 'watch') });
    });
  addClient(program, {
    name: 'explain',
    summary: 'explain why NODE is what it is, or why nobody has taken over',
    example: 'failover explain b --group web',
  })
    .argument('[node]', 'the node; without it the primary and the next, or all if nobody leads')
    .addOption(server())
    .option('--json', 'Print one JSON object.')
    .action(async (node: string | undefined, flags: Flags) => {
      const { explain } = await import('./commands/explain.ts');
      await explain({ ...client(flags), node: nodeId(node), json: is(flags, 'json') });
    });
  addClient(program, {
    name: 'events',
    summary: 'show what happened in the group of late, on every machine',
    example: 'failover events --group web',
  })
    .addOption(server())
    .option('--json', 'Print one JSON object.')
    .action(async (flags: Flags) => {
      const { events } = await import('./commands/events.ts');
      await events({ ...client(flags), json: is(flags, 'json') });
    });
  addClient(program, {
    name: 'wait',
    summary: 'wait until there is a primary, or NODE has a role',
    example: 'failover wait --group web --role primary --timeout 10s',
  })
    .argument('[node]', 'the node that is to have the role; any by default')
    .addOption(
      withDefault('--role <ROLE>', 'The role to wait for: primary or secondary.', 'primary'),
    )
    .addOption(withDefault('--timeout <TIME>', 'How long to wait; 0 looks once.', '30s'))
    .action(async (node: string | undefined, flags: Flags) => {
      const role = flags['role'];
      if (role !== 'primary' && role !== 'secondary') throw badRole(role);
      const { waitFor } = await import('./commands/wait.ts');
      await waitFor({ ...client(flags), role, node: nodeId(node), ...timeout(flags) });
    });
  addCommand(program, {
    name: 'demo',
    summary: 'watch three nodes survive a crash, a hang and a switchover, in one terminal',
    example: 'failover demo',
  }).action(async () => {
    const { demo } = await import('./commands/demo.ts');
    await demo();
  });
}

function addSimulate(program: Command): void {
  addCommand(program, {
    name: 'simulate',
    summary: 'try the deciding part on a simulated machine with every kind of trouble',
    example: 'failover simulate --steps 1000000 --faults crash,stop,partition',
  })
    .option('--seed <N>', 'The first seed; the same seed gives the same run. (default: by chance)')
    .addOption(withDefault('--steps <N>', 'End once this many decisions are made.', '1000000'))
    .option('--nodes <N>', 'How many nodes each run has. (default: 2 to 5, by the seed)')
    .addOption(withDefault('--lease <KIND>', 'file, or timed: one with a time to live.', 'file'))
    .option('--faults <LIST>', 'The kinds of trouble, with commas. (default: all)')
    .option(
      '--replay <FILE>',
      'Play one run again, or decide again what the journal of a node recorded.',
    )
    .option('--save <FILE>', 'Where to write the shortest run that breaks a promise.')
    .option('--json', 'Print one JSON object.')
    .action(async (flags: Flags) => {
      const { simulate } = await import('./commands/simulate.ts');
      await simulate(flags);
    });
}

function addDrill(program: Command): void {
  addClient(program, {
    name: 'drill',
    summary: 'make trouble on your own running group and certify how it came through',
    example: 'failover drill --group web --faults switchover,crash --rounds 3 --yes',
  })
    .option(
      '--faults <LIST>',
      'The faults, with commas, in this order. (default: all that are safe)',
    )
    .addOption(withDefault('--rounds <N>', 'How often each fault is played.', '1'))
    .option('--within <TIME>', 'The longest downtime that you allow, beside the predicted bounds.')
    .option('--restart-command <SH>', 'Shell command that brings a lost node back.')
    .option(
      '--loops <N>',
      'How many busy loops starve the machine. (default: 4 for each processor)',
    )
    .addOption(withDefault('--starve-time <TIME>', 'For how long, at most 10m.', '10s'))
    .addOption(withDefault('--timeout <TIME>', 'How long a step may take beyond its bound.', '60s'))
    .option('--allow-mixed-versions', 'Drill also nodes of different versions.')
    .option('--yes', 'Do it without asking.')
    .option('--json', 'Print the certificate as one JSON object.')
    .action(async (flags: Flags) => {
      const { drill } = await import('./commands/drill.ts');
      await drill(client(flags), flags);
    });
}

/** The commands that ask nodes to do something. */
function addChanges(program: Command): void {
  addClient(program, {
    name: 'promote',
    summary: 'make NODE the primary, or the next in succession',
    example: 'failover promote b --group web',
  })
    .argument('[node]', 'the node to promote')
    .option(
      '--force',
      'Fence the present primary if it does not hand over, as --fence of NODE allows.',
    )
    .addOption(withDefault('--timeout <TIME>', 'How long the change may take.', '90s'))
    .action(async (node: string | undefined, flags: Flags) => {
      const { promote } = await import('./commands/promote.ts');
      const force = is(flags, 'force');
      await promote({ ...client(flags), node: nodeId(node), force, ...timeout(flags) });
    });
  addClient(program, {
    name: 'demote',
    summary: 'make the primary step down; it stands by until another has led',
    example: 'failover demote --group web --hold 10m',
  })
    .argument('[node]', 'the node to demote; the primary by default')
    .option('--hold <TIME>', 'Keep it from leading for this long instead.')
    .addOption(withDefault('--timeout <TIME>', 'How long the change may take.', '90s'))
    .action(async (node: string | undefined, flags: Flags) => {
      const { demote } = await import('./commands/demote.ts');
      await demote({
        ...client(flags),
        node: nodeId(node),
        holdMs: hold(flags),
        ...timeout(flags),
      });
    });
  addClient(program, {
    name: 'pause',
    summary: 'forbid automatic promotion in the group until resume',
    example: 'failover pause --group web',
  })
    .addOption(server())
    .action(async (flags: Flags) => {
      const { pause } = await import('./commands/pause.ts');
      await pause(client(flags));
    });
  addClient(program, {
    name: 'resume',
    summary: 'allow automatic promotion again',
    example: 'failover resume --group web',
  })
    .addOption(server())
    .action(async (flags: Flags) => {
      const { resume } = await import('./commands/resume.ts');
      await resume(client(flags));
    });
  addClient(program, {
    name: 'stop',
    summary: 'stop the whole group, secondaries first, or NODE alone',
    example: 'failover stop --group web',
  })
    .argument('[node]', 'the one node to stop')
    .addOption(withDefault('--timeout <TIME>', 'How long to wait until they have ended.', '60s'))
    .action(async (node: string | undefined, flags: Flags) => {
      const { stop } = await import('./commands/stop.ts');
      await stop({ ...client(flags), node: nodeId(node), ...timeout(flags) });
    });
  addClient(program, {
    name: 'check',
    summary: 'probe the primary now; a secondary takes over if it is dead',
    example: 'failover check --group web',
  })
    .addOption(withDefault('--timeout <TIME>', 'How long it may take.', '90s'))
    .action(async (flags: Flags) => {
      const { check } = await import('./commands/check.ts');
      await check({ ...client(flags), ...timeout(flags) });
    });
}

function addKeygen(program: Command): void {
  addCommand(program, {
    name: 'keygen',
    summary: 'make a key for a node that others reach over TCP, and print its public half',
    example: 'failover keygen --out /etc/failover/node.key',
  })
    .addOption(
      withDefault('--out <PATH>', 'The secret key; the public one is PATH.pub.', 'failover.key'),
    )
    .option('--force', 'Make a new key also where there is one.')
    .action(async (flags: Flags) => {
      const { keygen } = await import('./commands/keygen.ts');
      keygen({ out: String(flags['out']), force: is(flags, 'force') });
    });
}

interface CommandText {
  readonly name: string;
  readonly summary: string;
  readonly example: string;
}

function addCommand(program: Command, { name, summary, example }: CommandText): Command {
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return program
    .command(name)
    .summary(summary)
    .description(sentence)
    .helpOption('-h, --help', 'Print this help.')
    .addHelpText('after', notesOf(name, example));
}

/** A command that asks about, or asks of, a group that others run. */
function addClient(program: Command, text: CommandText): Command {
  const command = addCommand(program, text);
  for (const option of OPTIONS) {
    if (option.takenBy === 'every command') addOption(command, option);
  }
  return command;
}

/** Nodes of this machine know the server, and its password: where there are some it need not be named. */
function server(): Option {
  const { flag, placeholder = '' } = optionOf('lease');
  return new Option(
    `${flag} <${placeholder}>`,
    'The server of the lease, where no node of the group runs here.',
  );
}

/** A default that is shown as a person writes it. */
function withDefault(flags: string, sentence: string, value: string): Option {
  return new Option(flags, sentence).default(value, value);
}

/** Values stay text: the settings are read, with their limits, in one place for flags and variables. */
function addOption(command: Command, option: OptionSpec): void {
  const { flag, short, placeholder, sentence, heading } = option;
  const names = short === undefined ? flag : `${short}, ${flag}`;
  const value = placeholder === undefined ? '' : ` <${placeholder}>`;
  const shown = option.defaultText ?? option.default;
  const note = shown === null || shown === 'false' ? '' : ` (default: ${shown})`;
  const choices = option.choices === undefined ? '' : ` [${option.choices.join('|')}]`;
  const added = new Option(`${names}${value}`, `${sentence}${choices}${note}`);
  // A heading helps only where there are many.
  if (heading !== null && command.name() === 'run') added.helpGroup(heading);
  command.addOption(added);
}

function client(flags: Flags): ClientOptions {
  return loadClientOptions({ flags, env: process.env });
}

function is(flags: Flags, key: string): boolean {
  return flags[key] === true;
}

function timeout(flags: Flags): { readonly timeoutMs: number } {
  return { timeoutMs: limitedDuration(String(flags['timeout']), '--timeout') };
}

function hold(flags: Flags): number | null {
  const value = flags['hold'];
  return typeof value === 'string' ? limitedDuration(value, '--hold') : null;
}

/** @throws FAILOVER_BAD_OPTION also for more than a timer can wait: it would fire at once */
function limitedDuration(text: string, flag: string): number {
  const durationMs = parseDuration(text, flag);
  if (durationMs <= MAX_MS) return durationMs;
  const limit = formatDuration(MAX_MS);
  const message = `Cannot use ${flag}: "${text}" is longer than ${limit}`;
  throw new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: flag, expected: `a duration of at most ${limit}` },
  });
}

function nodeId(text: string | undefined): string | null {
  return text === undefined ? null : validateNodeId(text, 'NODE');
}

function badRole(role: unknown): FailoverError {
  return new FailoverError(
    'FAILOVER_BAD_OPTION',
    `Cannot use --role: "${String(role)}" is no role`,
    {
      details: { option: '--role', expected: 'primary or secondary' },
    },
  );
}

/** The parser's error in our form: `error: unknown option '--grup'\n(Did you mean --group?)`. */
function usageError(error: CommanderError, help: string): FailoverError {
  const [line = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const fact = line.replace(/\.$/, '').replace('. Expected', ', expected');
  const hint = suggestion
    ?.replace(/^\(Did you mean (one of )?(.*)\?\)$/, 'Did you mean $1`$2`?')
    .replaceAll(', ', '`, `');
  return new FailoverError('FAILOVER_USAGE', `Cannot read the command line: ${fact}`, {
    hint: `${hint === undefined ? '' : `${hint} `}Run \`${help}\` to see what there is.`,
  });
}

/** The help that answers a mistake in these words. */
function helpOf(program: Command, [name]: readonly string[]): string {
  const isKnown = name !== undefined && isCommand(program, name);
  return isKnown ? `failover ${name} --help` : 'failover --help';
}

function isCommand(program: Command, name: string): boolean {
  return program.commands.some((command) => command.name() === name);
}

const ROOT_NOTES = `
Examples:
  $ failover demo                                          see it work
  $ failover run --group web -- node server.js             start it as often as you like
  $ failover status --group web

Exit codes:
${EXIT_CODES.map(({ code, meaning }) => `  ${code.padEnd(9)}${meaning.replaceAll('`', '')}`).join('\n')}

\`failover COMMAND --help\` shows the options of a command, with an example and its exit codes.`;
