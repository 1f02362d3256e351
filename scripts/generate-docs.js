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

/**
 * What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
 * @type {Readonly<Record<string, () => string>>}
 */
const PARTS = {
  commands: commandsTable,
  options: () => optionsTable(OPTIONS),
  'proxy-options': () => optionsTable(PROXY_OPTIONS),
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
  const ofEach = new Set(
    OPTIONS.filter(({ takenBy }) => takenBy === 'every command').map(({ flag }) => flag),
  );
  const ofRun = new Set(OPTIONS.map(({ flag }) => flag));
  const rows = createProgram().commands.map((command) => {
    const isUnit = command.name() === 'systemd';
    const words =
      command.name() === 'run' || isUnit ? '[options] [-- command args…]' : argumentsOf(command);
    const hasTable = command.name() === 'run' || command.name() === 'proxy';
    const others = isUnit ? ofRun : ofEach;
    const own = command.options.filter(({ long }) => !others.has(long ?? ''));
    const more = own.map(ownOption).join(' ');
    return [
      `\`${`failover ${command.name()} ${words}`.trim()}\``,
      command.description(),
      hasTable ? 'see the options below' : isUnit ? `${more} And those of \`run\`.` : more,
    ];
  });
  return markdownTable(['command', 'what it does', 'options of its own'], rows);
}

/** @param {import('commander').Option} option */
function ownOption({ flags, description, defaultValueDescription }) {
  const shown = defaultValueDescription;
  return `\`${flags}\`: ${description}${shown === undefined ? '' : ` (default: ${shown})`}`;
}

/** @param {import('commander').Command} command */
function argumentsOf(command) {
  return command.registeredArguments
    .map((argument) => (argument.required ? `<${argument.name()}>` : `[${argument.name()}]`))
    .join(' ');
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
