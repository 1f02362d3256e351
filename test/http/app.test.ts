// The paths of a server, asked without a socket.
import { describe, expect, it } from 'vitest';
import { FailoverError } from '../../src/errors.ts';
import { CHECKS } from '../../src/http/node-checks.ts';
import type { Absence, NodeSight } from '../../src/http/node-checks.ts';
import { appWith, FOLLOWS } from './support/app.ts';
import { fakeGroups } from './support/groups.ts';

interface Question {
  readonly node?: NodeSight | Absence;
  readonly isLocal?: boolean;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function ask(
  path: string,
  { node = FOLLOWS, isLocal = true, method = 'GET', headers = {} }: Question = {},
): Promise<{ status: number; body: string; headers: Headers }> {
  const app = appWith({ look: () => node, isLocal: () => isLocal });
  const answer = await app.request(path, { method, headers });
  return { status: answer.status, body: await answer.text(), headers: answer.headers };
}

describe('the paths of a node', () => {
  it('answer yes with 200 and no with 503, and say why', async () => {
    const [yes, no] = await Promise.all([ask('/secondary'), ask('/primary')]);
    const about = { group: 'g', node: 'a', role: 'secondary', phase: 'watching', epoch: 3 };
    expect([yes.status, JSON.parse(yes.body)]).toEqual([
      200,
      {
        v: 1,
        ok: true,
        check: 'secondary',
        ...about,
        primary: 'b',
        health: null,
        reason: 'Follows b',
      },
    ]);
    expect([no.status, JSON.parse(no.body)]).toMatchObject([
      503,
      { ok: false, check: 'primary', ...about, reason: 'a is secondary (watching)' },
    ]);
    expect(no.headers.get('cache-control')).toBe('no-store');
    expect(no.headers.get('content-type')).toContain('application/json');
  });

  it.each(CHECKS)('say of /%s that the node is only starting', async (check) => {
    const { status, body } = await ask(`/${check}`, { node: 'starting' });
    const ok = check === 'liveness';
    expect([status, JSON.parse(body)]).toEqual([
      ok ? 200 : 503,
      { v: 1, ok, check, group: 'g', reason: 'the node is starting' },
    ]);
  });

  it('say what is wrong where the node can not be asked', async () => {
    const look = (): never => {
      throw new Error('no descriptor is left');
    };
    const answer = await appWith({ look }).request('/primary');
    expect([answer.status, await answer.json()]).toMatchObject([
      503,
      { error: 'no descriptor is left' },
    ]);
  });

  it('are told of at /', async () => {
    const { status, body } = await ask('/');
    const { v, group, paths } = JSON.parse(body) as Record<string, unknown>;
    expect([status, v, group]).toEqual([200, 1, 'g']);
    expect(paths).toEqual(
      expect.arrayContaining(['/primary', '/metrics', '/status', '/groups/{group}/promote']),
    );
  });

  it('give the metrics as they are, to this machine only where it listens there only', async () => {
    const { status, body, headers } = await ask('/metrics');
    expect([status, body, headers.get('content-type')]).toEqual([200, 'counted 1\n', 'text/x']);
    expect((await ask('/metrics', { headers: { host: 'evil.example' } })).status).toBe(421);
    expect((await ask('/metrics', { method: 'POST' })).status).toBe(405);
    expect((await ask('/metrics', { method: 'OPTIONS' })).status).toBe(200);
  });

  it('answer HEAD and OPTIONS, and nothing that would change anything', async () => {
    const head = await ask('/primary', { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([503, '']);
    expect((await ask('/secondary', { method: 'OPTIONS' })).status).toBe(200);
    expect((await ask('/', { method: 'OPTIONS' })).status).toBe(200);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const { status, headers, body } = await ask('/primary', { method });
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
      expect(body).toContain(`${method} is not allowed here`);
    }
  });

  it.each([
    '/nothing',
    '/primary/',
    '/PRIMARY',
    '/../etc/passwd',
    '/%2e%2e/etc/passwd',
    '//health',
  ])('are the only ones: %s is none', async (path) => {
    const { status, body } = await ask(`http://127.0.0.1${path}`);
    expect([status, body]).toEqual([404, expect.stringContaining('/primary, /secondary')]);
  });
});

describe('a name that a request was sent to', () => {
  const asked = async (host: string, isLocal: boolean): Promise<number> =>
    (await ask('/liveness', { headers: { host }, isLocal })).status;

  it.each(['127.0.0.1', '127.0.0.1:8008', 'localhost:8008', 'LOCALHOST', '[::1]:8008', '10.0.0.7'])(
    'is taken where it is this machine: %s',
    async (host) => {
      expect(await asked(host, true)).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'evil.example:8008',
    '127.0.0.1.evil.example',
    'localhost.evil.example:80',
    '',
  ])('is refused where it may be anybody’s: %s', async (host) => {
    expect(await asked(host, true)).toBe(421);
  });

  it('is no matter where other machines may ask', async () => {
    expect(await asked('node-a.internal:8008', false)).toBe(200);
  });
});

describe('the paths of groups', () => {
  it('are of the one group where there is only one, with and without its name', async () => {
    const app = appWith();
    const [short, long] = await Promise.all(
      ['/status', '/groups/g/status'].map(async (path) => {
        const answer = await app.request(path);
        return [answer.status, await answer.json()];
      }),
    );
    expect(short).toEqual(long);
    expect(short).toMatchObject([200, { v: 1, group: 'g', primary: 'a' }]);
    expect((await app.request('/groups/g/secondary')).status).toBe(200);
    expect(await (await app.request('/groups')).json()).toEqual({ v: 1, groups: ['g'] });
  });

  it('are those of several, of which none is meant without a name', async () => {
    const groups = fakeGroups({ names: ['one', 'two'], only: null });
    const app = appWith({ groups });
    expect(await (await app.request('/status')).json()).toMatchObject({
      v: 1,
      groups: [{ group: 'one' }, { group: 'two' }],
      problems: [],
    });
    expect((await app.request('/promote', { method: 'POST' })).status).toBe(404);
    expect((await app.request('/groups/two/primary')).status).toBe(503);
  });

  it.each([
    '/groups/h/status',
    '/groups/..%2fg/status',
    '/groups/.../status',
    '/groups/g%2f/status',
  ])('are of groups that there are: %s is of none', async (path) => {
    const answer = await appWith({ groups: fakeGroups({ names: ['g', 'i'], only: null }) }).request(
      `http://127.0.0.1${path}`,
    );
    const { group, error } = (await answer.json()) as Record<string, unknown>;
    expect([answer.status, group]).toEqual([404, undefined]);
    expect(error).toMatch(/^There is no(?:thing here| such group here)/);
  });

  const sights: Readonly<Record<string, NodeSight | Absence>> = {
    ...{ a: FOLLOWS, b: { ...FOLLOWS, id: 'n', health: 'unhealthy' }, c: 'starting' },
    ...{ d: 'failed', e: 'ended', still: { ...FOLLOWS, isTurning: false } },
    broken: { ...FOLLOWS, role: 'stopped', phase: 'stopping', isTurning: false },
    over: { ...FOLLOWS, role: 'stopped', phase: 'stopped', isTurning: false },
  };

  async function asked(
    path: string,
    names: readonly string[],
    isEnding = false,
  ): Promise<readonly [number, Record<string, unknown>]> {
    const groups = fakeGroups({ names, only: null });
    const look = (group: string): NodeSight | Absence => sights[group] ?? 'starting';
    const answer = await appWith({ groups, look, isEnding: () => isEnding }).request(path);
    // Every answer here is an object.
    return [answer.status, (await answer.json()) as Record<string, unknown>];
  }

  it.each(['primary', 'secondary'])(
    'say of /%s which group it is where there is one, and ask which where there are several',
    async (check) => {
      const [status, answer] = await asked(`/${check}`, ['a']);
      expect([status, answer]).toMatchObject([
        check === 'secondary' ? 200 : 503,
        { check, group: 'a', node: 'a' },
      ]);
      expect(await asked(`/${check}`, ['a', 'b'])).toMatchObject([
        400,
        {
          error: 'Cannot tell which group is meant: there are 2 groups here',
          hint: `Request /groups/NAME/${check} for one group; /groups lists all.`,
        },
      ]);
    },
  );

  it('say of all groups together whether each is well, takes part, and is not about to end', async () => {
    expect(await asked('/readiness', ['a', 'e'])).toEqual([
      200,
      {
        ...{ v: 1, ok: true, check: 'readiness', groups: 1, refusing: 0, refusals: [] },
        reason: 'yes for 1 group',
      },
    ]);
    const [status, answer] = await asked('/readiness', ['a', 'b', 'c', 'd', 'e']);
    expect([status, answer]).toMatchObject([
      503,
      {
        ...{ ok: false, groups: 4, refusing: 3 },
        refusals: [
          { group: 'b', reason: 'n is unhealthy' },
          { group: 'c', reason: 'the node is starting' },
          { group: 'd', reason: 'the node could not be started, or has failed' },
        ],
        reason: 'no for 3 of 4 groups; b: n is unhealthy',
      },
    ]);
    expect((await asked('/health', ['a', 'b']))[0]).toBe(503);
    expect((await asked('/liveness', ['a', 'b', 'c', 'd']))[0]).toBe(200);
    expect(await asked('/liveness', ['a', 'still'])).toMatchObject([
      503,
      { refusals: [{ group: 'still', reason: 'a no longer makes decisions' }] },
    ]);
    // What is left of one that is broken may not end; one that has ended has nothing to decide.
    expect((await asked('/liveness', ['a', 'broken']))[0]).toBe(503);
    expect((await asked('/health', ['a', 'broken']))[0]).toBe(503);
    expect((await asked('/liveness', ['a', 'over']))[0]).toBe(200);
    expect(await asked('/liveness', ['a'], true)).toMatchObject([
      503,
      { reason: 'the process is shutting down' },
    ]);
    expect((await asked('/groups/d/liveness', ['c', 'd']))[0]).toBe(503);
    expect((await asked('/groups/c/liveness', ['c', 'd']))[0]).toBe(200);
  });

  it('name twenty groups of those that say no, however many there are', async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `x${String(i)}`);
    const [status, { refusing, refusals }] = await asked('/health', names);
    expect([status, refusing, (refusals as unknown[]).length]).toEqual([503, 1000, 20]);
  });

  it('tell of each group that can be looked at, and why others can not', async () => {
    const groups = fakeGroups({ names: ['one', 'bad', 'two'], only: null });
    const status = (group: string): ReturnType<typeof groups.status> =>
      group === 'bad'
        ? Promise.reject(new FailoverError('FAILOVER_STATE_DIR_NOT_A_DIRECTORY', 'It is a file'))
        : groups.status(group);
    const answer = await appWith({ groups: { ...groups, status } }).request('/status');
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      {
        groups: [{ group: 'one' }, { group: 'two' }],
        problems: [{ group: 'bad', error: 'It is a file', hint: expect.any(String) as string }],
      },
    ]);
  });

  it('look at all groups once for all who ask for them', async () => {
    const groups = fakeGroups({ names: ['one', 'two'], only: null });
    let looks = 0;
    const status = (group: string): ReturnType<typeof groups.status> => {
      looks += 1;
      return groups.status(group);
    };
    const app = appWith({ groups: { ...groups, status } });
    await Promise.all(Array.from({ length: 50 }, () => app.request('/status')));
    expect(looks).toBe(2);
  });

  it('count what was asked by the paths of the table, whatever somebody makes up', async () => {
    const counted: [string, number][] = [];
    const app = appWith({ onAnswer: (path, status) => void counted.push([path, status]) });
    for (const path of ['/groups/g/status', '/groups/x/status', '/made/up', '/secondary']) {
      await app.request(path);
    }
    expect(counted).toEqual([
      ['/groups/{group}/status', 200],
      ['/groups/{group}/status', 404],
      ['other', 404],
      ['/secondary', 200],
    ]);
  });
});
