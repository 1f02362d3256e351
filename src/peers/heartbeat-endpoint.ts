// Takes heartbeats of peers over HTTP: bounded in size and time, and nothing but what is signed counts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BODY_LIMIT, HEARTBEAT_PATH } from './peer-message.ts';
import type { PeerNode } from './peer-node.ts';
import { readBody } from './read-body.ts';
import { SIGNATURE_HEADER } from './signature.ts';

/** Whether a request is a heartbeat, whatever its method. */
export function isHeartbeat(request: IncomingMessage): boolean {
  return request.url?.replace(/[?#].*$/s, '') === HEARTBEAT_PATH;
}

/** Answers a heartbeat; `timeoutMs`: how long its body may take. */
export function answerHeartbeat(
  node: PeerNode,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  timeoutMs: number,
): void {
  if (request.method !== 'POST') {
    refuse(response, 405, 'a heartbeat is a POST');
    return;
  }
  const timer = setTimeout(() => {
    refuse(response, 408, 'its body did not arrive in time');
  }, timeoutMs);
  void readBody(request, BODY_LIMIT).then((body) => {
    clearTimeout(timer);
    if (response.headersSent || response.destroyed || body === 'broken') return;
    if (body === 'too-long') {
      node.refused('oversized');
      refuse(response, 413, `its body is longer than ${String(BODY_LIMIT)} bytes`);
      return;
    }
    const reply = node.answer(body, request.headers[SIGNATURE_HEADER]);
    if (reply.status !== 200) {
      refuse(response, reply.status, reply.fact);
      return;
    }
    const length = Buffer.byteLength(reply.body);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': length,
      'cache-control': 'no-store',
      [SIGNATURE_HEADER]: reply.signature,
    });
    response.end(reply.body);
  });
}

/** The rest of what is sent is not waited for. */
function refuse(response: ServerResponse, status: number, fact: string): void {
  if (response.headersSent) return;
  const body = `Cannot accept this heartbeat: ${fact}\n`;
  response.writeHead(status, {
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...(status === 405 ? { allow: 'POST' } : {}),
  });
  response.end(body);
}
