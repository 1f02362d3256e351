// The table of errors: unique codes, exit codes that the manual knows, hints that read well.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS, EXIT_CODES, FailoverError, errorCodeOfRpc, isErrorCode } from '../src/errors.ts';

const SRC = join(import.meta.dirname, '../src');

const entries = Object.entries(ERRORS);

describe('the table of errors', () => {
  it.each(entries)(
    '%s has a name, an exit code of the manual and one imperative',
    (code, entry) => {
      expect(code).toMatch(/^FAILOVER_[A-Z]+(_[A-Z]+)*$/);
      expect(EXIT_CODES.map((row) => row.code)).toContain(String(entry.exitCode));
      expect(entry.hint).toMatch(/^[A-Z][a-z]+ .*\.$/);
    },
  );

  it('gives each error a JSON-RPC code of its own, outside the reserved range', () => {
    const rpcCodes = entries.map(([, entry]) => entry.rpcCode);
    expect(new Set(rpcCodes).size).toBe(rpcCodes.length);
    for (const rpcCode of rpcCodes) expect(rpcCode).toBeGreaterThan(-32_000);
  });

  it('finds the error again by its JSON-RPC code', () => {
    for (const [code, entry] of entries) expect(errorCodeOfRpc(entry.rpcCode)).toBe(code);
    expect(errorCodeOfRpc(-32_601)).toBeNull();
  });

  it('has no row that nothing fails with, and a row for each that the core and the simulation tell of', () => {
    const named = (files: readonly string[]): Set<string> =>
      new Set(
        files
          .flatMap((file) =>
            Array.from(readFileSync(join(SRC, file), 'utf8').matchAll(/'(FAILOVER_[A-Z_]+)'/g)),
          )
          .map(([, name = '']) => name),
      );
    const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && file !== 'errors.ts',
    );
    const used = named(files);
    expect(entries.filter(([code]) => !used.has(code)).map(([code]) => code)).toEqual([]);
    const pure = files.filter((file) => /^(?:core|simulation)\//.test(file));
    expect([...named(pure)].filter((code) => !isErrorCode(code))).toEqual([]);
  });

  it('knows its own names and no property of objects', () => {
    expect(isErrorCode('FAILOVER_LEASE_HELD')).toBe(true);
    expect(isErrorCode('toString')).toBe(false);
  });
});

describe('FailoverError', () => {
  it('takes exit code, JSON-RPC code and hint from the table', () => {
    const error = new FailoverError('FAILOVER_NODE_TAKEN', 'Cannot start node a');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'FailoverError',
      code: 'FAILOVER_NODE_TAKEN',
      message: 'Cannot start node a',
      ...ERRORS.FAILOVER_NODE_TAKEN,
    });
    expect(error.cause).toBeUndefined();
  });

  it('fills the details into the hint', () => {
    const error = new FailoverError('FAILOVER_NO_PRIMARY', 'No primary', {
      details: { group: 'web' },
    });
    expect(error.hint).toContain('failover status --group web`');
  });

  it('shows a placeholder where a detail is missing', () => {
    expect(new FailoverError('FAILOVER_NO_PRIMARY', 'No primary').hint).toContain('--group GROUP`');
  });

  it('lets one case have its own hint, exit code and cause', () => {
    const cause = new Error('ENOENT');
    const error = new FailoverError('FAILOVER_UNEXPECTED', 'The workload died of SIGKILL', {
      cause,
      hint: 'Look at its log.',
      exitCode: 137,
    });
    expect(error).toMatchObject({ cause, hint: 'Look at its log.', exitCode: 137 });
  });
});
