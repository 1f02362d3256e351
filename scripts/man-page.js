// The manual page failover(1), made of the same definitions as the help: commands, options, exit codes, variables.
import { createProgram } from '../dist/cli/program.js';
import { OUTPUT_VARIABLES } from '../dist/config/options.js';
import { EXIT_CODES } from '../dist/errors.js';
import { packageVersion } from '../dist/version.js';

/** The longest line of the source, bytes: `mandoc -T lint` wants 80 at most. */
const WIDTH = 78;

/** @returns {string} The source of the page, in the macros of man(7) and in ASCII. */
export function manPage() {
  const program = createProgram();
  return (
    [
      `.TH FAILOVER 1 ${builtOn()} "failover ${packageVersion()}" "User Commands"`,
      ...['.SH NAME', 'failover \\- keep one copy of a command active'],
      '.SH SYNOPSIS',
      ...program.commands.flatMap((command, index) => [
        ...(index === 0 ? [] : ['.br']),
        ...text(`**failover ${command.name()}** ${usageOf(command)}`),
      ]),
      '.SH DESCRIPTION',
      ...text(program.description()),
      '.PP',
      ...text(
        'Start it as often as you like, on one machine or several: one node is the primary and its command runs, the ' +
          'others are secondaries, and one of them takes over when the primary dies, hangs, turns unhealthy or steps down.',
      ),
      '.SH COMMANDS',
      ...program.commands.flatMap(commandLines),
      '.SH EXIT STATUS',
      ...EXIT_CODES.flatMap(({ code, meaning }) => item(`**${code}**`, meaning)),
      '.SH ENVIRONMENT',
      ...text(
        'Most options can be set by a variable too: each command says so. What a node starts finds',
      ),
      ...text(`${OUTPUT_VARIABLES.map((name) => `**${name}**`).join(', ')}.`),
      '.SH FILES',
      ...item('`/var/lib/failover`', 'the state directory of root'),
      ...item('`~/.local/state/failover`', 'that of another user, unless XDG_STATE_HOME is set'),
      ...item('`/run/failover`', 'sockets of root; of others in XDG_RUNTIME_DIR'),
      '.SH SEE ALSO',
      '.BR flock (1),',
      '.BR setpriv (1),',
      '.BR systemd.service (5)',
      '',
    ]
      .join('\n')
      .trimEnd() + '\n'
  );
}

/** The day of the build, or the one that a reproducible build is told. */
function builtOn() {
  const told = Number(process.env['SOURCE_DATE_EPOCH'] ?? Number.NaN);
  const day = Number.isFinite(told) ? new Date(told * 1e3) : new Date();
  return day.toISOString().slice(0, 10);
}

/** @param {import('commander').Command} command */
function commandLines(command) {
  const seen = { heading: '' };
  const options = command.options.flatMap((option) => {
    const heading = option.helpGroupHeading ?? '';
    const title =
      heading === seen.heading || heading === '' ? [] : ['.PP', ...text(`**${heading}**`)];
    seen.heading = heading;
    const value = option.defaultValueDescription;
    const note = value === undefined ? '' : ` (default: ${value})`;
    return [...title, ...item(`**${option.flags}**`, `${option.description}${note}`)];
  });
  const words = command.registeredArguments.flatMap((argument) => {
    return argument.description === '' ? [] : item(`*${argument.name()}*`, argument.description);
  });
  const heading = text(`failover ${command.name()} ${usageOf(command)}`.trim()).join(' ');
  const notes = notesOf(command);
  return [
    `.SS ${heading}`,
    ...text(command.description()),
    ...words,
    ...options,
    ...(notes.length === 0 ? [] : ['.PP', '.nf', ...notes.map(plain), '.fi']),
  ];
}

/** What the help has below the options, from the example on. @param {import('commander').Command} command */
function notesOf(command) {
  let help = '';
  command.configureOutput({
    writeOut: (part) => {
      help += part;
    },
  });
  command.outputHelp();
  return help
    .slice(help.indexOf('\nExample:') + 1)
    .trimEnd()
    .split('\n');
}

/** @param {import('commander').Command} command */
function usageOf(command) {
  return command
    .usage()
    .replace(/^\[options\] ?/, '[options] ')
    .trim();
}

/**
 * A term, and what it means.
 * @param {string} term
 * @param {string} meaning
 */
function item(term, meaning) {
  return ['.TP', ...text(term), ...text(meaning)];
}

/**
 * Lines of running text: `code` and **strong** are bold, *names* are italic.
 * @param {string} source
 */
function text(source) {
  const marked = escaped(source)
    .replaceAll(/`([^`]+)`/g, '\\fB$1\\fR')
    .replaceAll(/\*\*([^*]+)\*\*/g, '\\fB$1\\fR')
    .replaceAll(/(?<![\w*])\*([\w-]+)\*/g, '\\fI$1\\fR');
  /** @type {string[]} */
  const lines = [];
  for (const word of marked.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map(guarded);
}

/** A line as it stands; a longer one than fits goes on in the next. @param {string} line */
function plain(line) {
  if (line === '') return '.sp';
  const parts = escaped(line).match(new RegExp(`.{1,${String(WIDTH - 2)}}(?= |$)`, 'g')) ?? [];
  return parts
    .map((part, index) => guarded(index === parts.length - 1 ? part : `${part}\\c`))
    .join('\n');
}

/** Nothing in it is a request, and all of it is ASCII. @param {string} source */
function escaped(source) {
  return source
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/[^\0-\x7f]/g, (character) => {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      return `\\[u${code}]`;
    });
}

/** A period or a quote at the beginning would be a request. @param {string} line */
function guarded(line) {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}
