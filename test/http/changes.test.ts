// Changes over HTTP: who may ask for them, in which form, and what is answered.
import { describe, expect, it } from 'vitest';
import { FailoverError } from '../../src/errors.ts';
import { appWith, TOKEN } from './support/app.ts';
import type { App } from './support/app.ts';
import { fakeGroups } from './support/groups.ts';

describe('a change', () => {
  const OWN = { origin: 'http://127.0.0.1:8008', host: '127.0.0.1:8008' };

  const ASKED = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const post = async ({
    path = '/promote',
    headers = ASKED,
    body = '{}',
    app = appWith(),
  }: {
    readonly path?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
    readonly app?: App;
  } = {}): Promise<readonly [status: number, body: Record<string, unknown>, headers: Headers]> => {
    const answer = await app.request(path, { method: 'POST', headers, body });
    return [answer.status, (await answer.json()) as Record<string, unknown>, answer.headers];
  };

  it('is ordered as it was asked for, and answered as the command would', async () => {
    const groups = fakeGroups();
    const app = appWith({ groups });
    const [status, body] = await post({ app, body: '{"node":"b","force":true,"timeoutMs":5}' });
    expect([status, body]).toEqual([
      200,
      { v: 1, ok: true, group: 'g', change: 'promote', said: ['promote is done.'], notes: [] },
    ]);
    for (const path of ['/demote', '/groups/g/pause', '/resume']) await post({ app, path });
    const defaults = { node: null, force: false, holdMs: null, timeoutMs: 90_000, group: 'g' };
    expect(groups.orders).toEqual([
      { ...defaults, change: 'promote', node: 'b', force: true, timeoutMs: 5 },
      ...['demote', 'pause', 'resume'].map((change) => ({ ...defaults, change })),
    ]);
  });

  it.each([
    ['FAILOVER_REFUSED', 409],
    ['FAILOVER_NO_PRIMARY', 503],
    ['FAILOVER_NO_NODE', 404],
    ['FAILOVER_TIMED_OUT', 504],
    ['FAILOVER_PROMOTION_FAILED', 502],
    ['FAILOVER_STATE_DIR_FULL', 500],
  ] as const)('that ends with %s is %i, with the code and what to do', async (code, expected) => {
    const fail = (): Promise<never> => Promise.reject(new FailoverError(code, 'It cannot.'));
    const app = appWith({ groups: fakeGroups({ change: fail }) });
    const [status, body] = await post({ app });
    expect([status, body]).toMatchObject([expected, { ok: false, code, error: 'It cannot.' }]);
    expect(body['hint']).toMatch(/\w{3}/);
  });

  it('needs the token: without a file of one it says how it is had', async () => {
    const [none, noneBody] = await post({ app: appWith({ token: null }) });
    expect([none, noneBody['hint']]).toEqual([403, 'Get one.']);
    const { authorization, ...bare } = ASKED;
    expect((await post({ headers: bare }))[0]).toBe(401);
    for (const given of ['Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, 'Bearer', TOKEN]) {
      const [status, body, headers] = await post({ headers: { ...bare, authorization: given } });
      expect([status, headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringContaining('Bearer'),
      ]);
      expect(JSON.stringify(body)).not.toContain(TOKEN);
    }
    expect(
      (await post({ headers: { ...bare, authorization: authorization.replace('B', 'b') } }))[0],
    ).toBe(200);
  });

  it('is not to be had by guessing: after ten wrong tokens the right one has to wait as well', async () => {
    let refused = 0;
    const app = appWith({ onRefused: () => (refused += 1) });
    let guess = 0;
    const wrong = (): Record<string, string> => {
      guess += 1;
      return { ...ASKED, authorization: `Bearer wrong-wrong-${String(guess)}` };
    };
    const statuses: number[] = [];
    for (let time = 0; time < 11; time += 1)
      statuses.push((await post({ app, headers: wrong() }))[0]);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    const [status, , headers] = await post({ app });
    expect([status, headers.get('retry-after'), refused]).toEqual([429, '6', 10]);
  });

  it.each([
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['one of the same site that is not ours', { 'sec-fetch-site': 'same-site' }],
    ['one of another site that sends our origin', { ...OWN, 'sec-fetch-site': 'cross-site' }],
    ['an origin that is not ours', { origin: 'http://evil.example', host: '127.0.0.1' }],
    ['a page without an origin', { origin: 'null', host: '127.0.0.1' }],
  ])('is refused to %s, whatever it knows', async (_, more) => {
    const groups = fakeGroups();
    const [status] = await post({ app: appWith({ groups }), headers: { ...ASKED, ...more } });
    expect([status, groups.orders]).toEqual([403, []]);
  });

  it('is taken from our own page', async () => {
    for (const more of [OWN, { ...OWN, 'sec-fetch-site': 'same-origin' }]) {
      expect((await post({ headers: { ...ASKED, ...more } }))[0]).toBe(200);
    }
  });

  it('is taken from our own page behind a proxy with TLS, which names another host', async () => {
    const proxied = { origin: 'https://failover.example', host: '127.0.0.1:8008' };
    expect((await post({ headers: { ...ASKED, ...proxied } }))[0]).toBe(403);
    const ours = { ...proxied, 'sec-fetch-site': 'same-origin' };
    expect((await post({ headers: { ...ASKED, ...ours } }))[0]).toBe(200);
  });

  it.each([
    ['no JSON', 'text/plain', '{}', 415],
    ['JSON that is none', 'application/json; charset=utf-8', '{', 400],
    ['a list', 'application/json', '[]', 400],
    ['a name that is none', 'application/json', '{"node":"../a"}', 400],
    ['a number for a name', 'application/json', '{"node":1}', 400],
    ['what it does not take', 'application/json', '{"holdMs":1}', 400],
    ['a flag that is a text', 'application/json', '{"force":"yes"}', 400],
    ['no time at all', 'application/json', '{"timeoutMs":0}', 400],
    ['more than a timer can wait', 'application/json', '{"timeoutMs":1e12}', 400],
    ['too much', 'application/json', `{"node":"${'a'.repeat(4096)}"}`, 413],
  ])('with %s is refused', async (_, type, body, expected) => {
    const groups = fakeGroups();
    const headers = { ...ASKED, 'content-type': type };
    const [status, told] = await post({ app: appWith({ groups }), headers, body });
    expect([status, groups.orders]).toEqual([expected, []]);
    expect(told['error']).toMatch(/^\w.{8,}/);
  });

  it('is asked for with POST alone', async () => {
    const answer = await appWith().request('/promote');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'OPTIONS, POST']);
    const options = await appWith().request('/promote', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'OPTIONS, POST']);
  });

  it('has to wait where many are under way', async () => {
    let finish = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const change = (): Promise<{ said: string[]; notes: string[] }> =>
      done.then(() => ({ said: [], notes: [] }));
    const app = appWith({ groups: fakeGroups({ change }) });
    const eight = Array.from({ length: 8 }, () => post({ app }));
    const [status, , headers] = await post({ app });
    expect([status, headers.get('retry-after')]).toEqual([503, '5']);
    finish();
    expect((await Promise.all(eight)).map(([each]) => each)).toEqual(Array(8).fill(200));
  });
});
