// Whether the workload serves, asked over HTTP and by commands: who does not serve does not lead.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';

/** A check that is late fails: no check of a busy machine takes as long as this. */
const STANDBY_TIMES = {
  'health-interval': '2s',
  'health-timeout': '2s',
  'health-fast-interval': '50ms',
};

const TIMES = { ...STANDBY_TIMES, 'health-grace': '0s' };

/** For checks that hang. */
const SHORT_TIMES = { ...TIMES, 'health-interval': '400ms', 'health-timeout': '400ms' };

/** A check by a file: there is one named after a node that is not to be healthy. */
const BY_FILE = 'exec:test ! -e "sick-$FAILOVER_NODE"';

function fallIll(group: Group, ...nodes: readonly string[]): void {
  for (const node of nodes) writeFileSync(group.path(`sick-${node}`), '');
}

interface NodeInStatus {
  readonly id: string;
  readonly workload: { readonly health: string | null };
  readonly transport: { readonly requests: number } | null;
}

async function inStatus(group: Group, node: string): Promise<NodeInStatus | null> {
  const { stdout } = await group.client('status', '--json');
  // As the stable JSON of a status has it.
  const { nodes } = JSON.parse(stdout) as { nodes: readonly NodeInStatus[] };
  return nodes.find(({ id }) => id === node) ?? null;
}

async function untilHealth(group: Group, node: string, health: string): Promise<void> {
  await group.until(`${node} to be ${health}`, async () => {
    if (group.nodes.every(({ end }) => end !== null)) throw new Error('all nodes have ended');
    return (await inStatus(group, node))?.workload.health === health;
  });
}

/** It has told the primary by then: each look is a request as well, and its words one more. */
async function untilTold(group: Group, primary: string): Promise<void> {
  const requests = async (): Promise<number> =>
    (await inStatus(group, primary))?.transport?.requests ?? 0;
  const before = await requests();
  let looks = 0;
  await group.until('one request more than looks', async () => {
    looks += 1;
    return (await requests()) > before + looks;
  });
}

function saysOf(node: NodeProcess, text: string): boolean {
  return node.log.some(({ reason }) => reason?.includes(text) === true);
}

describe('a check over HTTP', () => {
  let server: Server;
  let address: string;
  const sick = new Set<string>();

  beforeEach(async () => {
    sick.clear();
    server = createServer(({ url = '' }, response) => {
      response.writeHead(sick.has(url) ? 503 : 200);
      // More than anybody would read.
      const flood = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', flood);
      flood();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('that answers 503 hands over to a healthy node, in order', () =>
    inGroup(
      async (group) => {
        const run = 'echo "$FAILOVER_NODE $FAILOVER_REASON" >> reasons; exec "$W"';
        const a = await group.start('a', { run, options: { health: `${address}/a` } });
        await group.reaches(a, 'serving');
        const b = await group.start('b', { run, options: { health: `${address}/b` } });
        await group.reaches(b, 'watching');
        await untilHealth(group, 'a', 'healthy');
        sick.add('/a');
        await group.reaches(b, 'serving');
        await group.reaches(a, 'watching');
        expect(saysOf(a, 'it answered 503')).toBe(true);
        await group.active(2);
        expect(group.text('reasons')).toBe('a start\nb switchover\n');
        await untilHealth(group, 'b', 'healthy');
      },
      { options: TIMES },
    ));
});

describe('a check by a command', () => {
  it('that fails everywhere has the workload started again in place', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b'], {
          options: { health: BY_FILE, 'standby-health': BY_FILE },
        });
        await untilHealth(group, 'a', 'healthy');
        fallIll(group, 'b');
        await untilHealth(group, 'b', 'unhealthy');
        await untilTold(group, 'a');
        fallIll(group, 'a');
        await group.active(2);
        await group.reaches(a, 'serving', 2);
        expect(b.phase).toBe('watching');
        expect(b.timesIn('acquiring')).toBe(0);
      },
      { options: { ...TIMES, 'health-grace': '60s', fall: '2' } },
    ));

  it('that hangs is killed in its time with all that it started', () =>
    inGroup(
      async (group) => {
        const hangs = 'exec:[ -e hang ] || exit 0; sleep 98765 & sleep 98765';
        const a = await group.start('a', { options: { health: hangs } });
        await group.reaches(a, 'serving');
        await untilHealth(group, 'a', 'healthy');
        writeFileSync(group.path('hang'), '');
        await group.until('the warning', () => a.warnings.join().includes('unhealthy'));
        const sleeping = (): number =>
          group.marked().filter(({ command }) => command.includes('sleep 98765')).length;
        // It is killed when its time is over, and is gone a moment after: the next may be there by then.
        await group.until('those of one check at most', () => sleeping() <= 3);
        rmSync(group.path('hang'));
        await untilHealth(group, 'a', 'healthy');
        expect(group.starts).toBe(1);
      },
      { options: { ...SHORT_TIMES, restart: 'never' } },
    ));

  it('that has its workload end to be started again loses no demote command to a stop meanwhile', () =>
    inGroup(
      async (group) => {
        // It hears SIGTERM and goes on.
        const run = 'trap "echo >> told" TERM; while :; do sleep 0.1; done';
        const a = await group.start('a', { run });
        await group.reaches(a, 'serving');
        fallIll(group, 'a');
        await group.until('the end of the workload to begin', () => group.text('told') !== '');
        a.kill('SIGTERM');
        expect(await group.ends(a)).toBe(0);
        expect(group.text('demoted')).toBe('a SIGTERM\n');
      },
      {
        options: {
          ...TIMES,
          ...{ health: BY_FILE, 'stop-grace': '1s' },
          'demote-command': 'echo "$FAILOVER_NODE $FAILOVER_REASON" >> demoted',
        },
      },
    ));

  it('may write as much as it likes', () =>
    inGroup(
      async (group) => {
        const floods = 'exec:head -c 200000000 /dev/zero; head -c 200000000 /dev/zero >&2';
        const a = await group.start('a', { options: { health: floods } });
        await group.reaches(a, 'serving');
        await untilHealth(group, 'a', 'healthy');
        expect(a.stray).toBe('');
      },
      { options: { 'health-timeout': '2s' } },
    ));
});

describe('a standby that could not serve', () => {
  it('leaves the lead to one that could, and takes it when nobody else is left', () =>
    inGroup(
      async (group) => {
        const options = { 'standby-health': BY_FILE };
        const a = await group.start('a', { options });
        await group.reaches(a, 'serving');
        // The first to stand by would be the first to follow.
        const b = await group.start('b', { options });
        await group.reaches(b, 'watching');
        const c = await group.start('c', { options });
        await group.reaches(c, 'watching');
        await untilHealth(group, 'c', 'healthy');
        fallIll(group, 'b');
        await untilHealth(group, 'b', 'unhealthy');
        a.kill('SIGKILL');
        await group.reaches(c, 'serving');
        await group.active(2);
        c.kill('SIGKILL');
        await group.reaches(b, 'serving');
        await group.active(3);
      },
      { options: STANDBY_TIMES },
    ));

  it('is not promoted unless that is forced', () =>
    inGroup(
      async (group) => {
        const [, b] = await group.startAll(['a', 'b'], { options: { 'standby-health': BY_FILE } });
        fallIll(group, 'b');
        await untilHealth(group, 'b', 'unhealthy');
        const refused = await group.client('promote', 'b');
        expect(refused.stderr).toContain('Cannot promote b: it is unhealthy');
        expect(refused.stderr).toContain('failover promote b --force --group g');
        const forced = await group.client('promote', 'b', '--force');
        expect(forced.code).toBe(0);
        await group.reaches(b, 'serving');
      },
      { options: STANDBY_TIMES },
    ));
});
