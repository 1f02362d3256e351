// JSON-RPC messages: total parsing, and errors that keep what they are across processes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRORS, FailoverError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import {
  encodeError,
  encodeRequest,
  encodeResult,
  parseRequest,
  parseResponse,
  rpcErrorOf,
} from '../../src/transport/rpc-message.ts';
import type { ParsedResponse } from '../../src/transport/rpc-message.ts';

describe('parseRequest', () => {
  it('reads what encodeRequest writes', () => {
    const request = {
      id: '7',
      method: 'instance.demote',
      params: { group: 'web', successor: null, holdMs: 5, answerEarly: true },
    } as const;
    expect(parseRequest(Buffer.from(encodeRequest(request)))).toEqual({
      type: 'request',
      request,
    });
  });

  it('never throws, and refuses with an error that a client can read', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, (body) => {
        const parsed = parseRequest(body);
        expect(parsed).toMatchObject({ type: 'refused', id: null });
        expect(parsed).toHaveProperty('error.code', expect.toSatisfy(isReserved));
      }),
    );
  });

  it('never throws, whatever one field is', () => {
    const field = fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'other');
    fc.assert(
      fc.property(field, fc.jsonValue(), (name, value) => {
        const body = {
          jsonrpc: '2.0',
          id: '1',
          method: 'instance.ping',
          params: { group: 'web' },
          [name]: value,
        };
        expect(parseRequest(Buffer.from(JSON.stringify(body)))).toHaveProperty('type');
      }),
    );
  });
});

describe('parseResponse', () => {
  it('reads results, also none', () => {
    expect(parse(encodeResult('1', { a: [1] }))).toEqual({
      type: 'result',
      id: '1',
      result: { a: [1] },
    });
    expect(parse(encodeResult('1', undefined))).toMatchObject({ type: 'result', result: null });
  });

  // Object.keys forgets that the keys are the codes.
  it.each(Object.keys(ERRORS) as ErrorCode[])('carries %s with hint and exit code', (code) => {
    const error = new FailoverError(code, 'Cannot do it', { hint: 'Do that.', exitCode: 130 });
    expect(parse(encodeError('1', rpcErrorOf(error)))).toMatchObject({
      type: 'error',
      error: { code, message: 'Cannot do it', hint: 'Do that.', exitCode: 130 },
    });
  });

  it('knows our errors by their number when the data is missing or nonsense', () => {
    const code = ERRORS.FAILOVER_NO_PRIMARY.rpcCode;
    for (const data of [undefined, null, 5, { code: 'toString', hint: 1, exitCode: 'x' }]) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: '1', error: { code, message: 'm', data } });
      expect(parse(body)).toMatchObject({ error: { code: 'FAILOVER_NO_PRIMARY', exitCode: 3 } });
    }
  });

  it.each([-32700, -32600, -32601, -32602, 'text', undefined])(
    'takes error %s for two versions that do not fit',
    (code) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: '1', error: { code, message: 'm' } });
      expect(parse(body)).toMatchObject({ error: { code: 'FAILOVER_WIRE_INVALID' } });
    },
  );

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.jsonValue(), (bytes, value) => {
        expect(parseResponse(bytes)).toEqual({ type: 'refused' });
        const body = JSON.stringify({ jsonrpc: '2.0', id: '1', error: value });
        expect(parse(body)).toHaveProperty('type');
      }),
    );
  });
});

describe('rpcErrorOf', () => {
  it('tells of an unforeseen error no more than its message, cut to a limit', () => {
    const told = rpcErrorOf(new TypeError('x'.repeat(5000), { cause: new Error('secret') }));
    expect(told).toMatchObject({ data: { code: 'FAILOVER_UNEXPECTED' } });
    expect(told.message).toHaveLength(1024);
    expect(JSON.stringify(told)).not.toMatch(/secret|\.ts:/);
    expect(rpcErrorOf('text')).toMatchObject({ data: { code: 'FAILOVER_UNEXPECTED' } });
  });
});

function parse(body: string): ParsedResponse {
  return parseResponse(Buffer.from(body));
}

function isReserved(code: unknown): boolean {
  return typeof code === 'number' && code <= -32_600 && code >= -32_700;
}
