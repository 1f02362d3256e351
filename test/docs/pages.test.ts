// The manual says what the program has: every link leads somewhere, everything that is named exists.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { OPTIONS, OUTPUT_VARIABLES, PROXY_OPTIONS } from '../../src/config/options.ts';
import { TRANSITIONS } from '../../src/core/transitions.ts';
import { EXIT_CODES } from '../../src/errors.ts';
import { LEADER_VARIABLES } from '../../src/library/leader-from-environment.ts';
import { CHAOS_FLAGS } from '../chaos/options.ts';
import { anchors, codeBlocks, prose, readPage, readPages, ROOT } from './support/pages.ts';

const pages = readPages();
const readme = readPage('README.md').text;

describe.each(pages)('$path', ({ path, text }) => {
  it('has only links that lead somewhere', () => {
    const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const dead = links.filter(
      (target) => !/^https?:/.test(target) && !leadsSomewhere(path, target),
    );
    expect(dead).toEqual([]);
  });

  it('names only files of the project that exist', () => {
    const named =
      text.match(/(?:^|(?<=[\s`(]))(?:src|test|scripts|bin|docs)\/[\w./-]*\w\/?/gm) ?? [];
    expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  it('names no flag and no variable that the program does not know', () => {
    const flags = text.match(/(?<=[\s`(|])--[a-z][a-z-]+/g) ?? [];
    expect(flags.filter((flag) => !knownFlags.has(flag))).toEqual([]);
    const variables = text.match(/\bFAILOVER_[A-Z_]*[A-Z]\b/g) ?? [];
    expect(variables.filter((variable) => !knownNames.has(variable))).toEqual([]);
  });

  it('mentions nothing that is not part of the project', () => {
    const foreign = /shared\/|DESIGN\.md|ANCHORS|ATTACKS|STYLE\.md|\/work\/|\/root\/|\/tmp\/h\d|§/;
    expect(text.split('\n').filter((line) => foreign.test(line))).toEqual([]);
  });

  it('closes every marker that it opens', () => {
    const markers = [...text.matchAll(/<!-- ([\w-]+):(begin|end) -->/g)].map(
      ([, name = '', which = '']) => `${name} ${which}`,
    );
    const opened = markers.filter((marker) => marker.endsWith(' begin'));
    expect(markers).toEqual(opened.flatMap((marker) => [marker, marker.replace('begin', 'end')]));
  });
});

describe('the page on messages', () => {
  it('quotes what the program says', () => {
    const { text } = readPage('docs/troubleshooting.md');
    const tables = text
      .split('| it says |')
      .slice(1)
      .map((rest) => rest.split(/\n\n/, 1)[0] ?? '');
    const quoted = tables.flatMap((table) =>
      [...table.matchAll(/^\| (?!---)(.*?) \| /gm)].map(([, said = '']) => said),
    );
    const sentences = new Set<string>(Object.values(TRANSITIONS).map(({ sentence }) => sentence));
    const source = readSources();
    const isSaid = (said: string): boolean => {
      const parts = said.split(/\s?…[ ,:]?\s?/).filter((part) => part.length > 3);
      return sentences.has(said) || parts.every((part) => source.includes(part));
    };
    expect(quoted.length).toBeGreaterThanOrEqual(28);
    expect(quoted.filter((said) => !isSaid(said))).toEqual([]);
  });
});

describe('the README', () => {
  it('has every command, and no other', () => {
    const named = new Set(readme.match(/(?<=`failover )[a-z]+/g));
    expect([...named].sort()).toEqual(commands().sort());
  });

  it('has every exit code', () => {
    const rows = EXIT_CODES.map(({ code }) => `| ${code} |`);
    expect(rows.filter((row) => !readme.includes(row))).toEqual([]);
  });

  it('leads to every page of docs', () => {
    const names = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
    expect(names.filter((name) => !readme.includes(`(docs/${name}`))).toEqual([]);
  });

  it('has quick commands that package.json knows', () => {
    const scripts = scriptNames();
    const run = pages.flatMap(({ text }) =>
      [...text.matchAll(/\bnpm (?:run )?([\w:-]+)/g)].map(([, name = '']) => name),
    );
    const own = new Set(['ci', 'install', 'pack', 'audit', ...scripts]);
    expect(run.filter((name) => !own.has(name))).toEqual([]);
  });
});

describe('the page on commands', () => {
  const { text } = readPage('docs/cli.md');
  const general = text.slice(0, text.indexOf('\n## failover run\n'));

  it.each(createProgram().commands.map((command) => ({ name: command.name(), command })))(
    'has every option of $name',
    ({ name, command }) => {
      const [, after = ''] = text.split(`\n## failover ${name}\n`);
      const [own = ''] = after.split('\n## ');
      // A unit runs a node: it takes all that a node takes.
      const known = [general, own, name === 'systemd' ? text : ''].join();
      const missing = command.options.filter(({ long }) => !known.includes(long ?? ''));
      expect(missing.map(({ long }) => long)).toEqual([]);
    },
  );

  it('has every variable', () => {
    const names = [
      ...OPTIONS.filter(({ variableReadBy }) => variableReadBy !== 'nobody').map(
        ({ variable }) => variable,
      ),
      ...PROXY_OPTIONS.map(({ variable }) => variable),
      ...OUTPUT_VARIABLES,
    ];
    expect(names.filter((name) => !text.includes(name))).toEqual([]);
  });
});

describe('the page on the layout', () => {
  it('names every folder and file right below src', () => {
    const { text } = readPage('docs/architecture.md');
    const table = text.slice(0, text.indexOf('\n## '));
    const places = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || entry.name.endsWith('.ts'))
      .map((entry) => `\`src/${entry.name}${entry.isDirectory() ? '/' : ''}\``);
    expect(places.filter((place) => !table.includes(place))).toEqual([]);
  });
});

describe('quoted messages', () => {
  const sources = readSources();

  it('are sentences that the program has', () => {
    const sentences = new Set<string>(Object.values(TRANSITIONS).map(({ sentence }) => sentence));
    const strange = quotedMessages(readPage('docs/failure-modes.md').text).filter((message) => {
      // What differs from case to case is written as … or follows a colon.
      const [fixed = ''] = message.split(': ');
      if (sentences.has(message) || sentences.has(fixed)) return false;
      return !fixedParts(message).every((part) => sources.includes(part));
    });
    expect(strange).toEqual([]);
  });

  it('are found at all', () => {
    expect(quotedMessages(readPage('docs/failure-modes.md').text).length).toBeGreaterThan(20);
  });
});

describe('generated parts', () => {
  it('are what the generator writes', () => {
    const script = join(ROOT, 'scripts', 'generate-docs.js');
    const checked = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect(checked.stderr).toBe('');
    expect(checked.status).toBe(0);
  });

  it('have arguments that must be given as such, defaults, and placeholders that a code span shows', () => {
    const cli = readPage('docs/cli.md').text;
    expect(cli).toContain('`failover completion <shell>`');
    expect(cli).toContain('`failover wait [node]`');
    expect(cli).toContain('| `--timeout TIME` | `30s` | How long to wait; 0 checks once. |');
    const { text } = readPage('docs/troubleshooting.md');
    expect(text).toContain('`failover status --group GROUP`');
    expect(text.match(/`[^`|]*\*\w+\*[^`|]*`/g)).toBeNull();
  });

  it.each([
    ['README.md', 'commands'],
    ['README.md', 'options'],
    ['README.md', 'exit-codes'],
    ['docs/cli.md', 'command-options'],
  ])('of %s: %s is not empty', (page, name) => {
    const { text } = readPage(page);
    const part = new RegExp(`<!-- ${name}:begin -->(.*?)<!-- ${name}:end -->`, 's').exec(text);
    expect(part?.[1]?.split('\n').length).toBeGreaterThan(5);
  });
});

describe('examples of the library', () => {
  it('import only what is exported', () => {
    const exported = readFileSync(join(ROOT, 'src', 'index.ts'), 'utf8');
    const blocks = pages.flatMap(({ text }) => codeBlocks(text));
    const imports = blocks.flatMap(({ code }) =>
      [...code.matchAll(/import \{ (.+?) \} from 'failover-cli'/g)].flatMap(([, names = '']) =>
        names.split(', '),
      ),
    );
    expect(imports.length).toBeGreaterThan(0);
    expect(imports.filter((name) => !new RegExp(`\\b${name}\\b`).test(exported))).toEqual([]);
  });
});

const knownFlags = new Set([
  ...createProgram().options.map(({ long }) => long ?? ''),
  ...createProgram().commands.flatMap(({ options }) => options.map(({ long }) => long ?? '')),
  ...OPTIONS.map(({ flag }) => flag),
  ...CHAOS_FLAGS,
  // Of what else is run by hand to try it.
  '--store',
  '--load',
  '--rate',
  // Of other programs, in examples.
  '--name',
  '--check',
  '--fork',
  '--init',
  '--mount-proc',
  '--pid',
]);

const knownNames = new Set([
  ...[...OPTIONS, ...PROXY_OPTIONS].map(({ variable }) => variable),
  ...OUTPUT_VARIABLES,
  ...Object.keys(LEADER_VARIABLES),
  ...(readFileSync(join(ROOT, 'src', 'errors.ts'), 'utf8').match(/\bFAILOVER_[A-Z_]+\b/g) ?? []),
  'FAILOVER_DEBUG',
]);

function commands(): string[] {
  return createProgram().commands.map((command) => command.name());
}

function leadsSomewhere(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (!existsSync(join(ROOT, path))) return false;
  return anchor === undefined || anchors(readPage(path).text).includes(anchor);
}

function scriptNames(): readonly string[] {
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const scripts = /"scripts": \{(.*?)\}/s.exec(text)?.[1] ?? '';
  return [...scripts.matchAll(/^ *"([\w:-]+)":/gm)].map(([, name = '']) => name);
}

/** Code spans, over line ends too, that read like a sentence and not like a command line. */
function quotedMessages(text: string): readonly string[] {
  const paragraphs = text.replaceAll(/^```.*?^```$/gms, '').replaceAll(/(?<=\S)\n(?=\S)/g, ' ');
  return [...paragraphs.matchAll(/`([^`]+)`/g)]
    .map(([, span = '']) => span)
    .filter((span) => span.split(' ').length >= 5 && !/^(?:failover|docker|-)/.test(span));
}

/** The words of a message that are the same each time, in pieces of at least three. */
function fixedParts(message: string): readonly string[] {
  return message
    .replaceAll(/\bnode a\b|\bgroup web\b|file system is nfs/g, '…')
    .split(/\s*…[.,;:]?\s*|: /)
    .map((part) => part.trim())
    .filter((part) => part.split(' ').length >= 3);
}

/** All of src as one line of text, as a reader of the message would see it: joined and unescaped. */
function readSources(): string {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
    .join('\n')
    .replaceAll(/['`] \+\s*['`]/g, '')
    .replaceAll(/\\'/g, "'");
}
