// What a proxy answers in place of the primary: each code with its status and its sentence, in one table.
import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';

/** By the value of the header `x-failover-error`. */
export const REFUSALS = {
  'unsafe-in-flight': {
    status: 502,
    says: 'The primary was lost while processing this request, which may have been executed; it is not retried',
  },
  'bad-answer': { status: 502, says: 'The primary did not answer with valid HTTP' },
  'upstream-timeout': { status: 504, says: 'The primary did not start a response in time' },
  'no-primary': { status: 503, says: 'There was no primary for as long as this was held' },
  unreachable: {
    status: 503,
    says: 'The primary was unreachable for as long as this was held',
  },
  'hold-timeout': {
    status: 503,
    says: 'The primary had no free connection for as long as this was held',
  },
  'hold-full': { status: 503, says: 'Too many requests are held until there is a primary' },
  stopping: { status: 503, says: 'The proxy ends' },
  loop: { status: 508, says: 'This request has already passed through this proxy' },
  'bad-request': { status: 400, says: 'This request cannot be forwarded' },
  'header-too-large': { status: 431, says: 'The headers of this request are too large' },
  'request-timeout': { status: 408, says: 'This request was not complete in time' },
  'not-supported': { status: 501, says: 'This proxy does not support that' },
} as const;

export type RefusalCode = keyof typeof REFUSALS;

const ERROR_HEADER = 'x-failover-error';

/** Answers so, or breaks off the answer that has begun. */
export function refuse(
  response: ServerResponse,
  code: RefusalCode,
  extra: readonly string[] = [],
): void {
  if (response.headersSent || response.destroyed) {
    breakOff(response);
    return;
  }
  const { status, headers, text } = answerOf(code);
  response.writeHead(status, [...headers, ...extra]);
  response.end(text);
}

/** The client has to see that there is no more: a short answer that looks whole would be worse than none. */
export function breakOff(response: ServerResponse): void {
  // To a client of HTTP/1.0 the end of the connection is that of the answer.
  if (response.req.httpVersion === '1.0') response.socket?.resetAndDestroy();
  response.destroy();
}

/** The same as a refusal where there is no response to write to, and the connection is closed after it. */
export function rawRefusal(code: RefusalCode): string {
  const { status, headers, text } = answerOf(code);
  const lines = pairs([...headers, 'connection', 'close']).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const first = `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}`;
  return `${[first, ...lines].join('\r\n')}\r\n\r\n${text}`;
}

function answerOf(code: RefusalCode): {
  readonly status: number;
  readonly headers: readonly string[];
  readonly text: string;
} {
  const { status, says } = REFUSALS[code];
  const text = `${says}.\n`;
  const headers = [
    ...['content-type', 'text/plain', 'content-length', String(Buffer.byteLength(text))],
    ...[ERROR_HEADER, code, 'cache-control', 'no-store'],
    ...(status === 503 ? ['retry-after', '1'] : []),
  ];
  return { status, headers, text };
}

function pairs(flat: readonly string[]): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (let at = 0; at < flat.length; at += 2) found.push([flat[at] ?? '', flat[at + 1] ?? '']);
  return found;
}
