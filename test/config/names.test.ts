// Names of groups and nodes: safe as file names and topics, refused with the reason.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultNodeId, validateGroup, validateNodeId } from '../../src/config/names.ts';
import { failureOf } from '../support/failover-error.ts';

const VALID = ['a', 'default', 'web-1', 'A.b_c-9', '...', '.hidden', '-', 'x'.repeat(64)];
const INVALID: [text: string, fact: string][] = [
  ['', 'it is empty'],
  ['.', 'it is a relative path'],
  ['..', 'it is a relative path'],
  ['../web', 'it has the character "/"'],
  ['a b', 'it has the character " "'],
  ['a\n', 'it has the character "\\n"'],
  ['a\0b', 'it has the character "\\u0000"'],
  ['größe', 'it has the character "ö"'],
  ['x'.repeat(65), 'it has 65 characters, more than 64'],
];

describe.each([
  ['validateGroup', validateGroup, 'FAILOVER_BAD_GROUP', '--group'],
  ['validateNodeId', validateNodeId, 'FAILOVER_BAD_NODE_ID', '--node'],
])('%s', (_, validate, code, flag) => {
  it.each(VALID)('takes %s', (text) => {
    expect(validate(text)).toBe(text);
  });

  it.each(INVALID)('refuses %j: %s', (text, fact) => {
    const error = failureOf(() => validate(text));
    expect(error.code).toBe(code);
    expect(error.exitCode).toBe(2);
    expect(error.message).toBe(`Cannot use ${flag} ${JSON.stringify(text)}: ${fact}`);
  });

  it('names where the value came from, and cuts a very long one', () => {
    const error = failureOf(() => validate('y'.repeat(10_000), 'FAILOVER_GROUP'));
    expect(error.message).toMatch(/^Cannot use FAILOVER_GROUP "y{80}…": it has 10000 characters/);
  });
});

describe('defaultNodeId', () => {
  it('is the hostname and the pid', () => {
    expect(defaultNodeId({ hostname: 'db1.example.org', pid: 4711 })).toBe('db1.example.org-4711');
  });

  it('stands in for a hostname that is missing', () => {
    expect(defaultNodeId({ hostname: '', pid: 1 })).toBe('node-1');
  });

  it('is a valid id that ends with the pid, whatever the hostname', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(4_194_304), (hostname, pid) => {
        const id = defaultNodeId({ hostname, pid });
        expect(validateNodeId(id)).toBe(id);
        expect(id.endsWith(`-${String(pid)}`)).toBe(true);
      }),
    );
  });
});
