// Writes the generated parts of README.md and docs/*.md between their markers; `--check` only compares.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHECKS } from '../dist/cli/doctor/checks.js';
import { createProgram } from '../dist/cli/program.js';
import { LOG_EVENTS, LOG_FIELDS } from '../dist/cli/render/log-events.js';
import { ERRORS, EXIT_CODES } from '../dist/errors.js';
import { OPTIONS, PROXY_OPTIONS } from '../dist/config/options.js';
import { ROLE_OF_PHASE } from '../dist/core/phases.js';
import { TRANSITIONS } from '../dist/core/transitions.js';
import { FAULTS } from '../dist/simulation/faults.js';
import { transitionsDiagram, transitionsTable } from './draw-transitions.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The options of `run` that the README shows: docs/cli.md has all of them. */
const OFTEN_NEEDED = [
  ...['group', 'node', 'priority', 'standby', 'promoteCommand', 'demoteCommand', 'readyWhen'],
  ...['restart', 'stopGrace', 'health', 'lease', 'http'],
];

/**
 * What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
 * @type {Readonly<Record<string, () => string>>}
 */
const PARTS = {
  commands: commandsTable,
  options: () => optionsTable(OPTIONS.filter(({ key }) => OFTEN_NEEDED.includes(key))),
  'command-options': commandSections,
  'exit-codes': exitCodesTable,
  errors: errorsTable,
  'doctor-checks': doctorChecksTable,
  faults: faultsTable,
  'log-events': logEventsTable,
  'log-fields': logFieldsTable,
  transitions: () => transitionsDiagram(TRANSITIONS, ROLE_OF_PHASE),
  'transitions-table': () => transitionsTable(TRANSITIONS),
};

const stale = pages().filter((page) => !isCurrent(page));
if (process.argv.includes('--check') && stale.length > 0) {
  process.stderr.write(`Not up to date: ${stale.join(', ')}. Run \`npm run docs\`.\n`);
  process.exitCode = 1;
}

/** @returns {string[]} The pages that may have generated parts, relative to the root. */
function pages() {
  const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')) : [];
  const candidates = ['README.md', ...docs.map((name) => join('docs', name))];
  return candidates.filter((path) => path.endsWith('.md') && existsSync(join(root, path)));
}

/**
 * Whether a page says what its sources say; where it does not, writes it unless only checking.
 * @param {string} page
 */
function isCurrent(page) {
  const path = join(root, page);
  const before = readFileSync(path, 'utf8');
  let after = before;
  for (const [name, generate] of Object.entries(PARTS)) {
    after = replacePart(after, name, generate);
  }
  if (after !== before && !process.argv.includes('--check')) writeFileSync(path, after);
  return after === before;
}

/**
 * @param {string} text
 * @param {string} name
 * @param {() => string} generate
 */
function replacePart(text, name, generate) {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from === -1 || to === -1) return text;
  return `${text.slice(0, from)}${begin}\n\n${generate()}\n${text.slice(to)}`;
}

function commandsTable() {
  const rows = createProgram().commands.map((command) => [
    `[\`${usageOf(command)}\`](docs/cli.md#failover-${command.name()})`,
    command.description(),
  ]);
  return markdownTable(['command', 'what it does'], rows);
}

/** A section for each command: how it is called, and its options. */
function commandSections() {
  const sections = createProgram().commands.map((command) => {
    const usage = usageOf(command);
    return [
      `## failover ${command.name()}`,
      /[[<]/.test(usage) ? `\`${usage}\`: ${command.description()}` : command.description(),
      ...optionParts(command),
    ].join('\n\n');
  });
  return `${sections.join('\n\n')}\n`;
}

/**
 * The tables of a command's options, and a sentence for those that are just as with `run`. Not the two that every
 * command takes: the page says so once.
 * @param {import('commander').Command} command
 */
function optionParts(command) {
  const name = command.name();
  if (name === 'run') return tablesByHeading(OPTIONS);
  if (name === 'systemd') {
    const ofRun = new Set(OPTIONS.map(({ flag }) => flag));
    const more = command.options.filter(({ long }) => !ofRun.has(long ?? ''));
    return [...plainTable(more), 'And all options of [`run`](#failover-run).'];
  }
  const inTable = new Set(name === 'proxy' ? PROXY_OPTIONS.map(({ flag }) => flag) : []);
  const others = command.options.filter(({ long }) => !inTable.has(long ?? ''));
  const asRun = OPTIONS.filter(({ flag, sentence }) =>
    others.some(({ long, description }) => long === flag && description.startsWith(sentence)),
  );
  const flagsAsRun = asRun.map(({ flag }) => flag);
  const named = asRun.filter(({ takenBy }) => takenBy !== 'every command');
  return [
    ...(inTable.size === 0 ? [] : [optionsTable(PROXY_OPTIONS).trimEnd()]),
    ...plainTable(others.filter(({ long }) => !flagsAsRun.includes(long ?? ''))),
    ...(named.length === 0 ? [] : [`And as with [\`run\`](#failover-run): ${codeList(named)}.`]),
  ];
}

/** @param {readonly import('commander').Option[]} options */
function plainTable(options) {
  if (options.length === 0) return [];
  const rows = options.map(({ flags, description, defaultValueDescription }) => {
    // A default that is no value stands in the sentence of the help.
    const [, sentence = description, inWords] = /^(.*) \(default: (.*)\)$/.exec(description) ?? [];
    const value = defaultValueDescription === undefined ? '' : `\`${defaultValueDescription}\``;
    return [`\`${flags.replaceAll(/[<>]/g, '')}\``, inWords ?? value, sentence];
  });
  return [markdownTable(['option', 'default', 'what it does'], rows).trimEnd()];
}

/** A table for each heading of the help. @param {readonly import('../dist/config/options.js').OptionSpec[]} options */
function tablesByHeading(options) {
  const headings = [...new Set(options.map(({ heading }) => heading))];
  return headings.flatMap((heading) => [
    ...(heading === null ? [] : [`### ${heading.replace(/:$/, '')}`]),
    optionsTable(options.filter((option) => option.heading === heading)).trimEnd(),
  ]);
}

/** @param {readonly import('../dist/config/options.js').OptionSpec[]} options */
function codeList(options) {
  return options.map(({ flag }) => `\`${flag}\``).join(', ');
}

/** @param {import('commander').Command} command */
function usageOf(command) {
  const takesCommand = command.name() === 'run' || command.name() === 'systemd';
  const words = takesCommand
    ? '[options] [-- command args…]'
    : command.registeredArguments.map(argumentOf).join(' ');
  return `failover ${command.name()} ${words}`.trim();
}

/** @param {import('commander').Argument} argument */
function argumentOf(argument) {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

/** @param {readonly import('../dist/config/options.js').OptionSpec[]} options */
function optionsTable(options) {
  const rows = options.map((option) => {
    const flags = option.short === undefined ? option.flag : `${option.short}, ${option.flag}`;
    const value = option.choices?.join('|') ?? option.placeholder;
    const variable = option.variableReadBy === 'nobody' ? '' : `\`${option.variable}\``;
    return [
      `\`${flags}${value === undefined ? '' : ` ${value}`}\``,
      option.default === null || option.kind === 'boolean' ? '' : `\`${option.default}\``,
      option.variableReadBy === 'clients' ? `${variable} (not read by \`run\`)` : variable,
      option.defaultText === undefined
        ? option.sentence
        : `${option.sentence} Default: \`${option.defaultText}\`.`,
    ];
  });
  return markdownTable(['option', 'default', 'environment', 'what it does'], rows);
}

function exitCodesTable() {
  const rows = EXIT_CODES.map((row) => [row.code, row.meaning]);
  return markdownTable(['exit code', 'meaning'], rows);
}

function errorsTable() {
  const rows = Object.entries(ERRORS).map(([code, { exitCode, hint }]) => [
    ...[`\`${code}\``, String(exitCode), withPlaceholders(hint)],
  ]);
  return markdownTable(['code', 'exit code', 'what to do'], rows);
}

/** Many a hint has it within a command line, where nothing would be set in italics. @param {string} hint */
function withPlaceholders(hint) {
  return hint.replaceAll(/\{\w+\}/g, (name) => name.slice(1, -1).toUpperCase());
}

function doctorChecksTable() {
  const rows = CHECKS.map(({ id, question }) => [`\`${id}\``, question]);
  return markdownTable(['check', 'what it asks'], rows);
}

function logFieldsTable() {
  const rows = Object.entries(LOG_FIELDS).map(([name, what]) => [`\`${name}\``, what]);
  return markdownTable(['field', 'what it is'], rows);
}

function logEventsTable() {
  const rows = Object.entries(LOG_EVENTS).map(([name, { sentence, fields }]) => [
    `\`${name}\``,
    sentence,
    Object.entries(fields)
      .map(([field, what]) => (field === '…' ? what : `\`${field}\`: ${what}`))
      .join('; '),
  ]);
  return markdownTable(['event', 'what it tells', 'fields of its own'], rows);
}

function faultsTable() {
  const rows = Object.entries(FAULTS).map(([kind, what]) => [`\`${kind}\``, what]);
  return markdownTable(['`--faults`', 'what it is'], rows);
}

/**
 * @param {string[]} head
 * @param {string[][]} rows
 */
function markdownTable(head, rows) {
  const line = (/** @type {string[]} */ cells) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
