// One request that is handed on: what can not be sent, and what keeps a body in its bounds.
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { forwardRequest } from '../../src/library/forward-request.ts';
import type { ForwardOrder } from '../../src/library/forward-request.ts';
import { echo, serve } from './support/http-servers.ts';

it('is answered with 502 where it can not even be made, and what is sent with it is read', async () => {
  const body = Readable.from(['words']);
  expect(await forwardRequest(order({ headers: { 'x-own': 'a\nb' }, body }))).toBe(502);
  expect(await forwardRequest(order({ url: 'http://leader:1:2/' }))).toBe(502);
  expect(await forwardRequest(order({ method: 'NO METHOD' }))).toBe(502);
  await expect.poll(() => body.readableEnded).toBe(true);
});

it('keeps a body in its bounds whose length the client calls a matter of its connection', async () => {
  const paths: (string | undefined)[] = [];
  const leader = await serve((request, response) => {
    paths.push(request.url);
    echo('leader')(request, response);
  });
  const smuggled = 'POST /smuggled HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n';
  const answer = await forwardRequest(
    order({
      url: `${leader.url}/a`,
      method: 'DELETE',
      headers: { connection: 'content-length', 'content-length': String(smuggled.length) },
      body: Readable.from([smuggled]),
    }),
  );
  if (typeof answer === 'number') throw new Error(`it was answered with ${String(answer)}`);
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  expect([text, paths]).toEqual([`leader DELETE /a ${smuggled}`, ['/a']]);
});

function order(parts: Partial<ForwardOrder>): ForwardOrder {
  return {
    ...{ url: 'http://127.0.0.1:1/', method: 'POST', headers: {}, body: null, hops: 'a' },
    ...{ timeoutMs: 30_000, signal: new AbortController().signal },
    from: { host: null, address: null, protocol: 'http' },
    ...parts,
  };
}
