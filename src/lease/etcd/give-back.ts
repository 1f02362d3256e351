// Gives a lease back over etcd's HTTP gateway: a guard that loads a client of gRPC for it is ten times as large.
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import type { EtcdReturn } from '../../guard/messages.ts';
import { parseJson } from '../file/durable-file.ts';
import { fieldsOf, text } from '../file/record-fields.ts';
import { eventText } from './event-text.ts';

/**
 * True: a member has done it. One after the other is asked. @throws for files that can't be read; what can't be
 * given back ends by itself
 */
export async function giveBackToEtcd(order: EtcdReturn): Promise<boolean> {
  const security = order.tls === null ? null : filesOf(order.tls);
  for (const endpoint of order.endpoints) {
    const post = await posting(endpoint, security, order.timeoutMs);
    if (await giveBackOver(post, order)) return true;
  }
  return false;
}

type Post = (path: string, body: object, token: string | null) => Promise<unknown>;

/** By the key that hangs on that lease of etcd, and no other; then that lease itself. */
async function giveBackOver(post: Post, order: EtcdReturn): Promise<boolean> {
  const { user, token: id, lease, event, node, epoch } = order;
  const key = base64(lease);
  let token: string | null = null;
  if (user !== null) {
    token = text(fieldsOf(await post('/v3/auth/authenticate', user, null))?.['token']);
    if (token === null) return false;
  }
  const note = { key: base64(event), value: base64(eventText(node, 'released', epoch)) };
  const change = {
    compare: [{ target: 'LEASE', result: 'EQUAL', key, lease: id }],
    success: [{ request_delete_range: { key } }, { request_put: note }],
  };
  const answer = await post('/v3/kv/txn', change, token);
  if (answer === null) return false;
  // It would end by itself: nothing hangs on it any more.
  await post('/v3/lease/revoke', { ID: id }, token);
  return true;
}

/** Null for anything but success. */
async function posting(
  { host, port }: EtcdReturn['endpoints'][number],
  security: RequestOptions | null,
  timeoutMs: number,
): Promise<Post> {
  const { request } = security === null ? await import('node:http') : await import('node:https');
  return (path, body, token) =>
    new Promise((resolve) => {
      const headers = token === null ? {} : { authorization: token };
      const options = { host, port, path, method: 'POST', headers, ...security };
      const asked = request({ ...options, signal: AbortSignal.timeout(timeoutMs) }, (answer) => {
        let content = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          content += chunk;
          if (content.length > ANSWER_LIMIT) asked.destroy();
        });
        answer.on('close', () => {
          resolve(answer.statusCode === 200 ? (parseJson(content) ?? null) : null);
        });
      });
      asked.on('error', () => {
        resolve(null);
      });
      asked.end(JSON.stringify(body));
    });
}

const ANSWER_LIMIT = 64 * 1024;

function filesOf({ ca, own }: NonNullable<EtcdReturn['tls']>): RequestOptions {
  return {
    ...(ca === null ? {} : { ca: readFileSync(ca) }),
    ...(own === null ? {} : { cert: readFileSync(own.cert), key: readFileSync(own.key) }),
  };
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64');
}
