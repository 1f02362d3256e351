// The schema that editors use: it takes and refuses what the loader does, as far as a schema can tell.
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { exampleFile } from '../../../src/config/group-file/example.ts';
import { GROUP_OPTIONS, PROCESS_OPTIONS } from '../../../src/config/group-file/keys.ts';
import { groupFileSchema } from '../../../src/config/group-file/schema.ts';
import type { OptionSpec } from '../../../src/config/options.ts';
import { FailoverError } from '../../../src/errors.ts';
import { load } from './support.ts';

const validate = new Ajv({ strict: true, strictTuples: false, allowUnionTypes: true }).compile(
  groupFileSchema(),
);

/** Whether it is right for a group or, for relations between settings that are each right, not of its schema. */
function isLoaded(file: unknown): boolean {
  try {
    load(stringify(file), { env: { NAME: '2s' } });
    return true;
  } catch (error) {
    if (!(error instanceof FailoverError)) throw error;
    return error.facts.every(
      (fact) => /Cannot run(?: group \w+)?:/.test(fact) && !fact.includes('no group'),
    );
  }
}

/** Good ones are within limits, which a schema tells only of numbers. */
function valuesOf(option: OptionSpec): fc.Arbitrary<unknown> {
  const bad = fc.constantFrom<unknown>('', '  ', [], {}, ['x'], { a: 1 }, 1.5, -1);
  return fc.oneof(fc.constantFrom<unknown>(null, ...goodOf(option)), bad);
}

function goodOf({ kind, choices, key }: OptionSpec): readonly unknown[] {
  if (choices !== undefined) return [...choices, 'nonsense', 5, true];
  switch (kind) {
    case 'boolean':
      return [true, false, 'true', 'Yes', 'off', 'maybe', 0, 1];
    case 'integer':
      return [1, 5, '7', 'x', '1.5', true, 10_000_000];
    case 'duration':
      return ['100ms', '1m30s', '2s', 'x', '5', '1s1m', 5, true, '${NAME}'];
    case 'duration-range':
      return ['1s..2s', '100ms..1m30s', '1s', '1..2', '1s..', 5];
    default:
      return [true, ...(EXAMPLES[key] ?? ['x'])];
  }
}

const EXAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  http: ['8008', 8008, ':80', 65_536],
  promoteSignal: ['SIGUSR1'],
  demoteSignal: ['usr2'],
  readyWhen: ['exec:true'],
  health: ['exec:true'],
  standbyHealth: ['tcp://h:1'],
  peers: ['http://h:1,http://h:2'],
  peerAddress: ['http://h:1'],
  target: ['tcp://h:1'],
  proxy: [':1'],
  bind: ['tcp://127.0.0.1:7400', 'ipc'],
  lease: ['file', 'redis://h', '${NOT:-file}'],
  node: ['a'],
};

describe('the schema', () => {
  it('takes what the loader takes, for every option', () => {
    const pairs = [
      ...GROUP_OPTIONS.map((option) => ({ option, where: 'group' as const })),
      ...GROUP_OPTIONS.map((option) => ({ option, where: 'defaults' as const })),
      ...PROCESS_OPTIONS.map((option) => ({ option, where: 'file' as const })),
    ];
    const drawn = fc
      .constantFrom(...pairs)
      .chain((pair) => fc.tuple(fc.constant(pair), valuesOf(pair.option)));
    fc.assert(
      fc.property(drawn, ([{ option, where }, value]) => {
        const set = { [option.key]: value };
        const file = {
          ...(where === 'file' ? set : {}),
          ...(where === 'defaults' ? { defaults: set } : {}),
          groups: { a: { command: ['x'], ...(where === 'group' ? set : {}) } },
        };
        expect([file, validate(file)]).toEqual([file, isLoaded(file)]);
      }),
      { numRuns: 1500 },
    );
  });

  it.each([
    [{ groups: { a: { command: 'x' }, 'b.c': { command: ['x', 1, true] } } }, true],
    [{ groups: { a: null }, defaults: { command: 'x' }, 'x-any': [1] }, true],
    [{ groups: { a: { command: 'x' } }, variables: { A: 1, B_2: 'x' }, defaults: null }, true],
    [{ groups: {} }, false],
    [{}, false],
    [{ groups: { a: { command: [] } } }, false],
    [{ groups: { a: { command: ' ' } } }, false],
    [{ groups: { a: { command: ['', 'x'] } } }, false],
    [{ groups: { a: { command: ['x', ''] } } }, true],
    [{ groups: { a: { command: ['x', null] } } }, false],
    [{ groups: { a: { command: ['x', ['y']] } } }, false],
    [{ groups: { 'a/b': { command: 'x' } } }, false],
    [{ groups: { '..': { command: 'x' } } }, false],
    [{ groups: { a: { command: 'x', nope: 1 } } }, false],
    [{ groups: { a: { command: 'x' } }, nope: 1 }, false],
    [{ groups: { a: { command: 'x' } }, variables: { '1a': 1 } }, false],
    [{ groups: { a: { command: 'x' } }, variables: { A: null } }, false],
    [{ groups: { a: { command: 'x', group: 'b' } } }, false],
    [{ groups: { a: { command: 'x', stateDir: 'b' } } }, false],
  ])('and the loader agree on %j', (file, isRight) => {
    expect([validate(file), isLoaded(file)]).toEqual([isRight, isRight]);
  });

  it('goes with the example that init writes, which the loader takes', () => {
    const text = exampleFile('/schema.json');
    expect(text.startsWith('# yaml-language-server: $schema=/schema.json\n')).toBe(true);
    expect([...load(text).groups.keys()]).toEqual(['ticker', 'clock']);
  });

  it('has the sentence of each option', () => {
    const text = JSON.stringify(groupFileSchema());
    for (const { sentence } of [...GROUP_OPTIONS, ...PROCESS_OPTIONS]) {
      expect(text).toContain(JSON.stringify(sentence).slice(1, -1));
    }
  });
});
