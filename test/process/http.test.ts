// The checks of a node over HTTP, as those ask who watch over it: curl, and HAProxy that sends clients by them.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ERRORS } from '../../src/errors.ts';
import { freePort } from '../support/free-port.ts';
import { inGroup } from '../support/process-group.ts';
import type { NodeSetup } from '../support/process-setup.ts';
import { CALM } from '../support/process-steps.ts';
import { lackOfProgram } from '../support/programs.ts';

const lackOfCurl = lackOfProgram('curl');
const lackOfHaproxy = lackOfProgram('haproxy', '-v');

interface Place {
  /** Where its command listens while it leads. */
  readonly port: number;
  /** Where its checks are answered. */
  readonly checks: number;
}

async function place(): Promise<Place> {
  return { port: await freePort(), checks: await freePort() };
}

/** A command that says which node's it is. */
function setupOf({ port, checks }: Place): NodeSetup {
  const program = `require('http').createServer((request, response) => {
    response.end(process.env.FAILOVER_NODE);
  }).listen(${String(port)}, '127.0.0.1')`;
  const ready = `tcp://127.0.0.1:${String(port)}`;
  return {
    run: [process.execPath, '-e', program],
    options: { http: String(checks), 'ready-when': ready },
  };
}

/** The status, and what was said; 0: nobody is there. */
function curl(port: number, path: string): readonly [status: number, body: string] {
  const url = `http://127.0.0.1:${String(port)}${path}`;
  const args = ['--silent', '--max-time', '5', '--write-out', '\n%{http_code}', url];
  const { stdout } = spawnSync('curl', args, { encoding: 'utf8' });
  const lines = stdout.split('\n');
  return [Number(lines.pop()), lines.join('\n')];
}

const statusOf = (port: number, path: string): number => curl(port, path)[0];

describe.skipIf(lackOfCurl !== null)('the checks of a node', () => {
  it('say who is primary, and who is once it has changed', async () => {
    const [one, two] = [await place(), await place()];
    await inGroup(async (group) => {
      const a = await group.start('a', setupOf(one));
      await group.reaches(a, 'serving');
      const b = await group.start('b', setupOf(two));
      await group.reaches(b, 'watching');
      expect(a.log.find(({ event }) => event === 'http')?.reason).toBe(
        `Serving HTTP at http://127.0.0.1:${String(one.checks)}`,
      );
      const of = ({ checks }: Place): readonly number[] =>
        ['primary', 'secondary', 'health', 'liveness', 'readiness'].map((check) =>
          statusOf(checks, `/${check}`),
        );
      expect([of(one), of(two)]).toEqual([
        [200, 503, 200, 200, 200],
        [503, 200, 200, 200, 200],
      ]);
      const [, told] = curl(two.checks, '/secondary');
      const expected = { node: 'b', role: 'secondary', epoch: 1, primary: 'a', ok: true };
      expect(JSON.parse(told)).toMatchObject(expected);
      const metrics = (of: Place): string => curl(of.checks, '/metrics')[1];
      expect(metrics(one)).toContain('failover_promotions_total{group="g",reason="start"} 1');
      expect(metrics(two)).toContain('failover_role{group="g",role="secondary"} 1');
      await group.until('beats of a', () =>
        /^failover_heartbeat_interval_seconds_count\{group="g"\} [1-9]/m.test(metrics(two)),
      );
      a.kill('SIGTERM');
      expect(await group.ends(a)).toBe(0);
      await group.reaches(b, 'serving');
      expect([statusOf(one.checks, '/liveness'), of(two)]).toEqual([0, [200, 503, 200, 200, 200]]);
    });
  });

  it('are not answered at an address that is in use: no node is started', async () => {
    const one = await place();
    await inGroup(async (group) => {
      const a = await group.start('a', setupOf(one));
      await group.reaches(a, 'serving');
      const b = group.startClient('run', '--node', 'b', '--http', String(one.checks), '--', 'true');
      const { code, stderr } = await b.done;
      expect([code, stderr]).toEqual([
        ERRORS.FAILOVER_ADDRESS_IN_USE.exitCode,
        expect.stringContaining(
          `Cannot listen on 127.0.0.1:${String(one.checks)}: the address is in use`,
        ),
      ]);
      expect(group.records().map(({ node }) => node)).toEqual(['a']);
    });
  });
});

describe.skipIf(lackOfHaproxy !== null)('HAProxy that asks each node if it is primary', () => {
  /** Until nothing is left that could be asked. */
  async function startHaproxy(places: readonly Place[]): Promise<number> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), 'failover-haproxy-'));
    const file = join(directory, 'haproxy.cfg');
    const servers = places.map(
      ({ port: at, checks }, index) =>
        `  server s${String(index)} 127.0.0.1:${String(at)} check port ${String(checks)}`,
    );
    const lines = [
      ...['global', '  maxconn 100', 'defaults', '  mode http', '  timeout connect 3s'],
      ...['  timeout client 1m', '  timeout server 1m', '  timeout check 2s'],
      ...['listen l', `  bind 127.0.0.1:${String(port)}`, '  option httpchk GET /primary'],
      ...['  default-server inter 50ms fall 1 rise 1 on-marked-down shutdown-sessions'],
      ...servers,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'ignore' });
    onTestFinished(() => {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    });
    return port;
  }

  it('sends clients to it, and to the next one when it is killed or hands over', async () => {
    const places = [await place(), await place(), await place()] as const;
    await inGroup(async (group) => {
      const nodes = [];
      for (const [index, id] of ['a', 'b', 'c'].entries()) {
        nodes.push(await group.start(id, setupOf(places[index] ?? places[0])));
      }
      const [a, b] = nodes;
      if (a === undefined || b === undefined) throw new Error('not started');
      await group.reaches(a, 'serving');
      const front = await startHaproxy(places);
      const served = (id: string): Promise<boolean> =>
        group.until(`${id} to answer`, () => curl(front, '/')[1] === id);
      await served('a');
      expect((await group.client('promote', 'b')).code).toBe(0);
      await served('b');
      b.kill('SIGKILL');
      await group.ends(b);
      const next = await group.primaryOf([a, ...nodes.slice(2)]);
      await served(next.id);
    }, CALM);
  });
});
