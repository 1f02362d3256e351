// The command line of a tool: what its table takes, what it refuses, and what it tells.
import { describe, expect, it } from 'vitest';
import { flag, number, numbers, oneOf, readOptions, words } from './tool-options.ts';
import type { Tool } from './tool-options.ts';

const flags = {
  rounds: number({ placeholder: 'N', says: 'rounds', fallback: 20, least: 1, most: 99 }),
  margin: number({ placeholder: 'S', says: 'seconds', fallback: null, isWhole: false }),
  groups: numbers({ placeholder: 'N,…', says: 'groups', fallback: [100, 1000], least: 1 }),
  store: oneOf(['redis', 'etcd', 'peers'], { placeholder: 'NAME', says: 'only there' }),
  case: words({
    ...{ placeholder: 'TEXT', says: 'only these', takes: 'a part of a name' },
    isOne: (given) => 'a name'.includes(given),
  }),
  json: flag('as JSON'),
};
const tool: Tool<typeof flags> = {
  ...{ name: 'tool', about: 'Tries it.', flags, notes: ['Notes: none'] },
  example: '--rounds 3',
};

describe('the options of a tool', () => {
  it('are those of its table, where none are given', () => {
    const given = { rounds: 20, margin: null, groups: [100, 1000], store: null };
    expect(readOptions(tool, [])).toEqual({ values: { ...given, case: null, json: false } });
  });

  it('are read as the table says', () => {
    const args = ['--rounds', '3', '--margin=0.5', '--groups', '1,20', '--store', 'etcd', '--json'];
    const given = { rounds: 3, margin: 0.5, groups: [1, 20], store: 'etcd', case: 'nam' };
    expect(readOptions(tool, [...args, '--case', 'nam'])).toEqual({
      values: { ...given, json: true },
    });
  });

  it.each([
    [['--rounds', '0'], "--rounds takes a whole number from 1 to 99, not '0'"],
    [['--rounds', '100'], "--rounds takes a whole number from 1 to 99, not '100'"],
    [['--rounds', '1.5'], "--rounds takes a whole number from 1 to 99, not '1.5'"],
    [['--rounds', '1e1'], "--rounds takes a whole number from 1 to 99, not '1e1'"],
    [['--rounds='], "--rounds takes a whole number from 1 to 99, not ''"],
    [['--margin', 'much'], "--margin takes a number of 0 or more, not 'much'"],
    [
      ['--groups', '1,,2'],
      "--groups takes a whole number of 1 or more, or several with commas, not '1,,2'",
    ],
    [['--store', 'red'], "--store takes redis, etcd or peers, not 'red'"],
    [['--case', 'none'], "--case takes a part of a name, not 'none'"],
    [['--nothing'], "Unknown option '--nothing'"],
    [['--rounds'], "Option '--rounds <value>' argument missing"],
    [['--json=1'], "Option '--json' does not take an argument"],
    [['redis'], "Unexpected argument 'redis'"],
  ])('%j are refused in one sentence', (args, wrong) => {
    expect(readOptions(tool, args)).toEqual({ wrong });
  });

  it('are told by --help, also beside others', () => {
    const help = `Usage: npm run tool -- [options]

Tries it.

  --rounds N    rounds (default: 20)
  --margin S    seconds
  --groups N,…  groups (default: 100,1000)
  --store NAME  only there
  --case TEXT   only these
  --json        as JSON
  --help        this text

Notes: none

Example:
  $ npm run tool -- --rounds 3
`;
    expect(readOptions(tool, ['--help'])).toEqual({ help });
    expect(readOptions(tool, ['-h', '--rounds', 'many'])).toEqual({ help });
  });
});
