// One request that is handed on: what can not be sent.
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { forwardRequest } from '../../src/library/forward-request.ts';
import type { ForwardOrder } from '../../src/library/forward-request.ts';

it('is answered with 502 where it can not even be made, and what is sent with it is read', async () => {
  const body = Readable.from(['words']);
  expect(await forwardRequest(order({ headers: { 'x-own': 'a\nb' }, body }))).toBe(502);
  expect(await forwardRequest(order({ url: 'http://leader:1:2/' }))).toBe(502);
  expect(await forwardRequest(order({ method: 'NO METHOD' }))).toBe(502);
  await expect.poll(() => body.readableEnded).toBe(true);
});

function order(parts: Partial<ForwardOrder>): ForwardOrder {
  return {
    ...{ url: 'http://127.0.0.1:1/', method: 'POST', headers: {}, body: null, hops: 'a' },
    ...{ timeoutMs: 30_000, signal: new AbortController().signal },
    from: { host: null, address: null, protocol: 'http' },
    ...parts,
  };
}
