// The command line as a whole: its commands, which load their own code when they run, and what it refuses.
import { Command, CommanderError } from 'commander';
import { EXIT_CODES, FailoverError } from '../errors.ts';
import { packageVersion } from '../version.ts';
import { addChanging } from './definitions/changing.ts';
import { addCompletion } from './definitions/completing.ts';
import { addInit, addUp } from './definitions/groups.ts';
import { addLooking } from './definitions/looking.ts';
import { addKeygen, addRun } from './definitions/node.ts';
import { addOperating } from './definitions/operating.ts';
import { addProxy } from './definitions/proxying.ts';
import { addTrying } from './definitions/trying.ts';

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
  addUp(program);
  addInit(program);
  addLooking(program);
  addTrying(program);
  addChanging(program);
  addProxy(program);
  addOperating(program);
  addKeygen(program);
  addCompletion(program);
  return program;
}

/** The parser's error in our form: `error: unknown option '--grup'\n(Did you mean --group?)`. */
function usageError(error: CommanderError, help: string): FailoverError {
  const [line = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const fact = line.replace(/\.$/, '').replace('. Expected', ', expected');
  const hint = suggestion
    ?.replace(/^\(Did you mean (one of )?(.*)\?\)$/, 'Did you mean $1`$2`?')
    .replaceAll(', ', '`, `');
  return new FailoverError('FAILOVER_USAGE', `Cannot read the command line: ${fact}`, {
    hint: `${hint === undefined ? '' : `${hint} `}Run \`${help}\` for help.`,
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
  $ failover run --group web -- node server.js             start as many as you like
  $ failover status --group web

Exit codes:
${EXIT_CODES.map(({ code, meaning }) => `  ${code.padEnd(9)}${meaning.replaceAll('`', '')}`).join('\n')}

\`failover COMMAND --help\` shows the options of a command, with an example and its exit codes.`;
