// JSON-RPC 2.0 as it travels between nodes and from the command line: requests, results and errors.
import { FailoverError, errorCodeOfRpc, isErrorCode } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import {
  TEXT_LIMIT,
  isBoolean,
  isCount,
  isDurationMs,
  isFields,
  isName,
  isText,
  parseJson,
} from './checks.ts';
import type { Fields } from './checks.ts';

/** Every method there is; `instance.ping` is answered by the transport itself. */
const RPC_METHODS = [
  'instance.ping',
  'instance.status',
  'instance.promote',
  'instance.demote',
  'instance.pause',
  'instance.resume',
  'instance.stop',
  'instance.check',
  'instance.events',
  'instance.store',
  'instance.attach',
  'instance.drained',
] as const;

/** What signatures of requests and answers are made for: none counts as the other. */
export const REQUEST_LABEL = 'rpc-request';
export const ANSWER_LABEL = 'rpc-answer';

export type RpcMethod = (typeof RPC_METHODS)[number];

/** The parameters of a request: `group`, and what the method takes. */
export type RpcParams = Fields & { readonly group: string };

export interface RpcRequest {
  readonly id: string;
  readonly method: RpcMethod;
  readonly params: RpcParams;
}

/** The error of an answer. `data` carries the catalogue's entry when the error is one of ours. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: { readonly code: ErrorCode; readonly hint: string; readonly exitCode: number };
}

export type ParsedRequest =
  | { readonly type: 'request'; readonly request: RpcRequest }
  | {
      readonly type: 'refused';
      readonly cause: 'malformed' | 'invalid' | 'unknown-method' | 'bad-params';
      readonly id: string | null;
      readonly error: RpcError;
    };

export type ParsedResponse =
  | { readonly type: 'result'; readonly id: string; readonly result: unknown }
  | { readonly type: 'error'; readonly id: string; readonly error: FailoverError }
  | { readonly type: 'refused' };

/** The request in these bytes, or the answer that refuses it. Total: no bytes make it throw. */
export function parseRequest(bytes: Uint8Array): ParsedRequest {
  const body = parseJson(bytes);
  if (body === undefined) {
    return refused('malformed', null, { code: -32700, message: 'Parse error: this is not JSON' });
  }
  const id = isFields(body) && isRequestId(body['id']) ? body['id'] : null;
  if (!isFields(body) || body['jsonrpc'] !== '2.0' || id === null || !isText(body['method'])) {
    return refused('invalid', id, {
      code: -32600,
      message: 'Invalid request: expected jsonrpc "2.0", a string id and a method',
    });
  }
  const method = RPC_METHODS.find((known) => known === body['method']);
  if (method === undefined) {
    const message = `Method not found: ${body['method'].slice(0, 64)}`;
    return refused('unknown-method', id, { code: -32601, message });
  }
  const params = body['params'];
  const problem = isFields(params) ? problemOfParams(params) : 'an object is expected';
  if (!isFields(params) || problem !== null) {
    const message = `Invalid params of ${method}: ${String(problem)}`;
    return refused('bad-params', id, { code: -32602, message });
  }
  // `problemOfParams` has checked that `group` is a name.
  return { type: 'request', request: { id, method, params: params as RpcParams } };
}

export function encodeRequest(request: RpcRequest): string {
  return JSON.stringify({ jsonrpc: '2.0', ...request });
}

export function encodeResult(id: string, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result: result ?? null });
}

export function encodeError(id: string | null, error: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}

/** An error as an answer carries it: never a stack trace, and nothing of what caused it. */
export function rpcErrorOf(error: unknown): RpcError {
  const known =
    error instanceof FailoverError
      ? error
      : new FailoverError(
          'FAILOVER_UNEXPECTED',
          error instanceof Error ? error.message : 'The request failed',
        );
  const { code, hint, exitCode, rpcCode, message } = known;
  return { code: rpcCode, message: message.slice(0, TEXT_LIMIT), data: { code, hint, exitCode } };
}

/** The answer in these bytes. Total: no bytes make it throw. */
export function parseResponse(bytes: Uint8Array): ParsedResponse {
  const body = parseJson(bytes);
  if (!isFields(body) || body['jsonrpc'] !== '2.0') return { type: 'refused' };
  const { id, error } = body;
  if (!isRequestId(id)) return { type: 'refused' };
  if (error === undefined && 'result' in body)
    return { type: 'result', id, result: body['result'] };
  return isFields(error)
    ? { type: 'error', id, error: failoverErrorOf(error) }
    : { type: 'refused' };
}

/** The error of an answer as this process throws it, with the hint and exit code of its sender. */
function failoverErrorOf(error: Fields): FailoverError {
  const data = isFields(error['data']) ? error['data'] : {};
  const { hint, exitCode } = data;
  const message = isText(error['message']) ? error['message'] : 'The request failed';
  return new FailoverError(codeOf(error, data), message, {
    ...(isText(hint) ? { hint } : {}),
    ...(isCount(exitCode) && exitCode > 0 && exitCode < 256 ? { exitCode } : {}),
  });
}

function codeOf(error: Fields, data: Fields): ErrorCode {
  if (isText(data['code']) && isErrorCode(data['code'])) return data['code'];
  const { code } = error;
  // JSON-RPC's own errors: the two ends don't speak the same version.
  if (typeof code !== 'number' || code <= -32_600) return 'FAILOVER_WIRE_INVALID';
  return errorCodeOfRpc(code) ?? 'FAILOVER_UNEXPECTED';
}

/** What is wrong with the parameters that are given, or `null`. What each means is the group's to say. */
function problemOfParams(params: Fields): string | null {
  if (!isName(params['group'])) return '`group` must be the name of a group';
  for (const [name, [check, expected]] of Object.entries(KNOWN_PARAMS)) {
    const value = params[name];
    if (value !== undefined && value !== null && !check(value))
      return `\`${name}\` must be ${expected}`;
  }
  return null;
}

const TEXT_EXPECTED = `a string of at most ${TEXT_LIMIT} characters`;

const KNOWN_PARAMS: Readonly<Record<string, readonly [(value: unknown) => boolean, string]>> = {
  answerEarly: [isBoolean, 'true or false'],
  epoch: [isCount, 'an epoch'],
  proxy: [isName, 'the name of a proxy'],
  by: [isText, TEXT_EXPECTED],
  from: [isName, 'the name of a run'],
  to: [isName, 'the name of a run'],
  seq: [isCount, 'a count'],
  expiresAtMs: [isDurationMs, 'a number of milliseconds'],
  force: [isBoolean, 'true or false'],
  holdMs: [isDurationMs, 'a number of milliseconds'],
  node: [isName, 'the id of a node'],
  reason: [isText, TEXT_EXPECTED],
  standby: [isFields, 'an object'],
  successor: [isName, 'the id of a node'],
};

function isRequestId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 64;
}

function refused(
  cause: Extract<ParsedRequest, { type: 'refused' }>['cause'],
  id: string | null,
  error: RpcError,
): ParsedRequest {
  return { type: 'refused', cause, id, error };
}
