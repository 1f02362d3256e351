// What answers over HTTP for the groups of one process, with nodes that are made up.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openUpHttp } from '../../../src/cli/up/http.ts';
import type { Served, UpHttp } from '../../../src/cli/up/http.ts';
import type { Absence } from '../../../src/http/node-checks.ts';
import { initialState } from '../../../src/core/state.ts';
import { transition } from '../../../src/core/transition.ts';
import { settingsWith } from '../../support/core-settings.ts';
import { temporaryDirectory } from '../../lease/support/fixtures.ts';
import { primaryStatus, statusOf } from '../support/snapshot.ts';

// The files of the page are there only once it is built.
vi.mock('../../../src/http/page.ts', () => ({
  Page: class {
    readonly files = [];
  },
}));

interface Scene {
  readonly http: UpHttp;
  /** Of a path: the status, and the text. */
  readonly get: (path: string, init?: RequestInit) => Promise<readonly [number, string]>;
  /** The groups of the file; others can be put in their place. */
  names: readonly string[];
  readonly absent: Map<string, Absence>;
  isEnding: boolean;
}

const { transport } = statusOf('b');

async function scene(
  names: readonly string[],
  httpTokenFile: string | null = null,
): Promise<Scene> {
  const stateDir = temporaryDirectory();
  const http = await openUpHttp({ httpTokenFile, stateDir }, '0', () => undefined);
  onTestFinished(http.close);
  const made: Scene = {
    ...{ http, names, absent: new Map<string, Absence>(), isEnding: false },
    get: async (path, init) => {
      const answer = await fetch(`${http.url}${path}`, init);
      return [answer.status, await answer.text()];
    },
  };
  const fleet: Served['fleet'] = {
    get names() {
      return made.names;
    },
    get isEnding() {
      return made.isEnding;
    },
    absence: (group) => made.absent.get(group) ?? 'starting',
  };
  http.serve({ fleet, transport: { counters: () => ({ ...transport, received: 5 }) } });
  return made;
}

const PRIMARY = { sight: () => primaryStatus('n'), isTurning: true };
const STANDBY = { sight: () => statusOf('n'), isTurning: true };

describe('the HTTP of several groups', () => {
  it('answers for each group, and for one that has no node why', async () => {
    const { http, get, absent } = await scene(['a', 'b', 'c', 'd']);
    http.listener.onNode('a', PRIMARY);
    http.listener.onNode('b', STANDBY);
    absent.set('d', 'failed');
    expect((await get('/groups/a/primary'))[0]).toBe(200);
    expect((await get('/groups/b/primary'))[0]).toBe(503);
    expect((await get('/groups/b/secondary'))[0]).toBe(200);
    expect(await get('/groups/c/health')).toEqual([503, expect.stringContaining('is starting')]);
    expect(await get('/groups/d/health')).toEqual([503, expect.stringContaining('has failed')]);
    expect(await get('/groups/e/health')).toEqual([404, expect.stringContaining('no such group')]);
    expect(await get('/primary')).toEqual([400, expect.stringContaining('/groups/NAME/primary')]);
    expect(await get('/readiness')).toEqual([503, expect.stringContaining('no for 2 of 4 groups')]);
    http.listener.onNode('a', null);
    expect((await get('/groups/a/primary'))[0]).toBe(503);
  });

  it('says that the process lives while its nodes decide, and until it is to end', async () => {
    const made = await scene(['a', 'b']);
    made.http.listener.onNode('a', { ...STANDBY, isTurning: false });
    // One that has not taken a step yet has not stopped either.
    expect((await made.get('/liveness'))[0]).toBe(200);
    const still = await scene(['a', 'b']);
    still.http.listener.onNode('a', { ...STANDBY, isTurning: false });
    const before = initialState(0, 1);
    const event = { type: 'started', at: 0 } as const;
    const step = { ...transition(before, event, settingsWith({})), before, event };
    still.http.listener.onStepOf('a')(step);
    expect(await still.get('/liveness')).toEqual([
      503,
      expect.stringContaining('n no longer makes decisions'),
    ]);
    const other = await scene(['a', 'b']);
    other.isEnding = true;
    expect(await other.get('/liveness')).toEqual([
      503,
      expect.stringContaining('is shutting down'),
    ]);
  });

  it('measures the groups that there are, and what they share once', async () => {
    const made = await scene(['a', 'b']);
    const distrusted = { ...transport.distrusted, repeated: transport.distrusted.repeated + 2 };
    const ofPeers = { ...statusOf('n'), transport: { ...transport, distrusted } };
    made.http.listener.onStepOf('a');
    made.http.listener.onStepOf('b');
    made.http.listener.onNode('a', { ...STANDBY, sight: () => ofPeers });
    made.http.listener.onNode('b', PRIMARY);
    const [, text] = await made.get('/metrics');
    expect(text).toMatch(/^failover_serving\{group="a"\} 0$/m);
    expect(text).toMatch(/^failover_serving\{group="b"\} 1$/m);
    expect(text).toMatch(/^failover_messages_received_total 5$/m);
    expect(text).toMatch(/^failover_messages_rejected_total\{cause="repeated"\} 2$/m);
    expect(text).toMatch(/^failover_http_requests_total/m);
    made.http.listener.onNode('b', null);
    made.names = ['a'];
    made.http.changed();
    expect((await made.get('/metrics'))[1]).not.toContain('group="b"');
    expect(await made.get('/groups')).toEqual([200, '{"v":1,"groups":["a"]}\n']);
  });

  it('refuses what the server of a node refuses: other names, other sites and wrong tokens', async () => {
    const file = join(temporaryDirectory(), 'token');
    writeFileSync(file, 'correct-horse-battery-staple\n');
    chmodSync(file, 0o600);
    const { http, get } = await scene(['a', 'b'], file);
    const order = (headers: Readonly<Record<string, string>>): ReturnType<typeof get> =>
      get('/groups/a/pause', {
        ...{ method: 'POST', body: '{}' },
        headers: { 'content-type': 'application/json', ...headers },
      });
    const token = { authorization: 'Bearer correct-horse-battery-staple' };
    expect((await order({}))[0]).toBe(401);
    expect((await order({ authorization: 'Bearer wrong' }))[0]).toBe(401);
    expect((await order({ ...token, 'sec-fetch-site': 'cross-site' }))[0]).toBe(403);
    expect((await order(token))[0]).toBe(200);
    const none = await scene(['a']);
    const refused = await none.get('/groups/a/pause', { method: 'POST' });
    expect(refused).toEqual([403, expect.stringContaining('--http-token-file')]);
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      const asked = request(`${http.url}/groups`, { headers: { host: 'evil.example' } });
      asked.on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.end();
    });
    expect(status).toBe(421);
  });
});
