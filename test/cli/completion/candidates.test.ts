// What a shell offers: commands, options and values as they are defined, and the names that the state directory knows.
import { describe, expect, it } from 'vitest';
import { offerFor } from '../../../src/cli/completion/candidates.ts';
import type { LineOptions } from '../../../src/cli/completion/candidates.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { OPTIONS } from '../../../src/config/options.ts';

const PROGRAM = createProgram();

describe('commands', () => {
  it('are all there, with what they do', () => {
    const known = PROGRAM.commands.map((command) => command.name());
    expect(words('')).toEqual([...known, 'help']);
    expect(offerFor(PROGRAM, ['stat'], NAMES)).toEqual({
      kind: 'words',
      words: [
        { word: 'status', about: 'show which node is primary, which stand by, and any problems' },
      ],
    });
    expect(words('help', 'dr')).toEqual(['drill']);
    expect(words('nonsense', '')).toEqual([]);
    expect(words('-')).toEqual(['--version', '--help']);
  });
});

describe('options', () => {
  it('are those of the command, each once', () => {
    const flags = words('run', '--');
    expect(flags).toEqual([...OPTIONS.map(({ flag }) => flag), '--help']);
    expect(words('run', '--group', 'web', '--gro')).toEqual([]);
    expect(words('run', '-gweb', '--gro')).toEqual([]);
    expect(words('status', '--js')).toEqual(['--json']);
  });

  it.each(OPTIONS.filter(({ choices }) => choices !== undefined))(
    '$flag has its choices',
    ({ flag, choices }) => {
      expect(words('run', flag, '')).toEqual(choices);
      expect(words('run', `${flag}=`)).toEqual(choices?.map((choice) => `${flag}=${choice}`));
    },
  );

  it('of one command have theirs as well', () => {
    expect(words('wait', '--role', '')).toEqual(['primary', 'secondary']);
    expect(words('simulate', '--lease', 't')).toEqual(['timed']);
    expect(words('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('that take a path leave it to the shell', () => {
    expect(offerFor(PROGRAM, ['run', '--state-dir', 'x'], NAMES).kind).toBe('directories');
    expect(offerFor(PROGRAM, ['run', '--key-file=x'], NAMES).kind).toBe('files');
    expect(offerFor(PROGRAM, ['simulate', '--replay', ''], NAMES).kind).toBe('files');
  });

  it('that take something else offer nothing, nor does what there is not', () => {
    expect(words('run', '--stop-grace', '')).toEqual([]);
    expect(words('run', '--nonsense=')).toEqual([]);
    expect(words('status', '--json=')).toEqual([]);
  });
});

describe('names', () => {
  it('of groups are asked for in the state directory of the line', () => {
    expect(words('status', '--group', '')).toEqual(['api', 'web']);
    expect(words('status', '-g', 'w')).toEqual(['web']);
    expect(words('status', '--group=a')).toEqual(['--group=api']);
    words('status', '--state-dir', '/x', '--group', '');
    expect(asked.at(-1)).toEqual({ command: 'status', group: undefined, stateDir: '/x' });
  });

  it('of nodes are asked for in the group of the line, wherever it stands', () => {
    expect(words('promote', '')).toEqual(['a', 'b']);
    expect(words('promote', '--timeout', '5s', '-g', 'web', 'b')).toEqual(['b']);
    expect(asked.at(-1)).toEqual({ command: 'promote', group: 'web', stateDir: undefined });
    expect(words('demote', '--group=web', 'x')).toEqual([]);
  });

  it('are offered once: then there are only options', () => {
    expect(words('promote', 'b', '')).toContain('--force');
    expect(words('promote', 'b', '')).not.toContain('a');
    expect(words('promote', '--', '')).toEqual(['a', 'b']);
  });
});

describe('the command of a node', () => {
  it.each([
    [['run', '--', ''], 2],
    [['run', '--group', 'web', '--', 'node', ''], 4],
    [['run', '--group', 'web', 'node', '--ver'], 3],
  ])('%j begins at %i', (line, at) => {
    expect(offerFor(PROGRAM, line, NAMES)).toEqual({ kind: 'command', at });
  });
});

it('is silent where there are no words at all', () => {
  expect(offerFor(PROGRAM, [], NAMES).kind).toBe('words');
});

const asked: LineOptions[] = [];

const NAMES = {
  groups: (line: LineOptions): readonly string[] => {
    asked.push(line);
    return ['api', 'web'];
  },
  nodes: (line: LineOptions): readonly string[] => {
    asked.push(line);
    return ['a', 'b'];
  },
};

function words(...line: readonly string[]): readonly string[] {
  const offer = offerFor(PROGRAM, line, NAMES);
  return offer.kind === 'words' ? offer.words.map(({ word }) => word) : [offer.kind];
}
