// Gives a lease back over etcd's HTTP gateway: a guard that loads a client of gRPC for it is ten times as large.
import { readFileSync } from 'node:fs';
import type { request, RequestOptions } from 'node:https';
import type { EtcdReturn } from '../../guard/messages.ts';
import { parseJson } from '../file/durable-file.ts';
import { fieldsOf, text } from '../file/record-fields.ts';
import { eventText } from './event-text.ts';

/**
 * Connects to the first member, while there is something else to do. What it returns gives the lease back, and is true
 * where a member has done it: one after the other is asked. @throws for files that can't be read; what can't be given
 * back ends by itself
 */
export async function returnToEtcd(order: EtcdReturn): Promise<() => Promise<boolean>> {
  const { members, close } = await membersOf(order);
  void connect(members);
  return async () => {
    try {
      for (const ask of members) if (await giveBackOver(ask, order)) return true;
      return false;
    } finally {
      close();
    }
  };
}

/** Does all of it but the giving back: what was never run is slow the first time. */
export async function rehearseEtcd(order: EtcdReturn): Promise<void> {
  const { members, close } = await membersOf(order);
  await connect(members);
  close();
}

interface Question {
  readonly path: string;
  /** Null: nothing is changed. */
  readonly body: object | null;
  readonly token: string | null;
}

/** Null for anything but success. */
type Ask = (question: Question) => Promise<unknown>;

/** What is answered is no matter: the connection waits for what comes next. */
async function connect([first]: readonly Ask[]): Promise<void> {
  await first?.({ path: '/version', body: null, token: null });
}

/** By the key that hangs on that lease of etcd, and no other. */
async function giveBackOver(ask: Ask, order: EtcdReturn): Promise<boolean> {
  const { user, token: id, lease, event, node, epoch } = order;
  const key = base64(lease);
  let token: string | null = null;
  if (user !== null) {
    const answer = await ask({ path: '/v3/auth/authenticate', body: user, token });
    token = text(fieldsOf(answer)?.['token']);
    if (token === null) return false;
  }
  const note = { key: base64(event), value: base64(eventText(node, 'released', epoch)) };
  const body = {
    compare: [{ target: 'LEASE', result: 'EQUAL', key, lease: id }],
    success: [{ request_delete_range: { key } }, { request_put: note }],
  };
  const answer = await ask({ path: '/v3/kv/txn', body, token });
  if (answer === null) return false;
  // Nothing hangs on that lease of etcd any more: it ends by itself, and keeps no disk from the claim that follows now.
  return true;
}

/** The members in their order; what is asked of one of them while nothing else is goes over the same connection. */
async function membersOf({
  endpoints,
  tls,
  timeoutMs,
}: EtcdReturn): Promise<{ readonly members: readonly Ask[]; readonly close: () => void }> {
  const security = tls === null ? null : filesOf(tls);
  const { Agent, request } =
    security === null ? await import('node:http') : await import('node:https');
  const agent = new Agent({ keepAlive: true });
  const members = endpoints.map(({ host, port }): Ask => {
    const place = { host, port, agent, ...security };
    return async (question) => {
      const first = await answerTo(question, { request, place, timeoutMs });
      // A connection that has waited may have ended.
      if (first !== 'broken') return first;
      const again = await answerTo(question, { request, place, timeoutMs });
      return again === 'broken' ? null : again;
    };
  });
  const close = (): void => {
    agent.destroy();
  };
  return { members, close };
}

/** `broken`: a connection that was made before has ended. */
function answerTo(
  { path, body, token }: Question,
  { request, place, timeoutMs }: Way,
): Promise<unknown> {
  return new Promise((resolve) => {
    const headers = token === null ? {} : { authorization: token };
    const method = body === null ? 'GET' : 'POST';
    const signal = AbortSignal.timeout(timeoutMs);
    const asked = request({ ...place, path, method, headers, signal }, (answer) => {
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
      resolve(asked.reusedSocket && !signal.aborted ? 'broken' : null);
    });
    asked.end(body === null ? undefined : JSON.stringify(body));
  });
}

interface Way {
  readonly request: typeof request;
  readonly place: RequestOptions;
  readonly timeoutMs: number;
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
