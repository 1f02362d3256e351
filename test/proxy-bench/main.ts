// Measures `failover proxy` beside HAProxy and a plain proxy on the same library, in turns, and prints a table.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { flag, number, optionsOrEnd } from '../support/tool-options.ts';
import { connectMany, memoryMib, processorMs, speedOf } from './support/load.ts';
import { besidePlain, inTurn, median } from './support/median.ts';
import { startFailover, startHaproxy, startPlain, startUpstream } from './support/sides.ts';
import { startPlainSplice, startTalker } from './support/sides.ts';
import type { Side } from './support/sides.ts';
import { measureTcp, tcpTable } from './support/tcp.ts';
import type { TcpFigures } from './support/tcp.ts';

const { rounds, requests, json } = optionsOrEnd({
  name: 'proxy-bench',
  about: 'Measures failover proxy beside HAProxy and a plain proxy on the same library.',
  flags: {
    rounds: number({ placeholder: 'N', says: 'how often each is measured', fallback: 8, least: 1 }),
    requests: number({
      placeholder: 'N',
      says: 'how many requests a measurement has',
      fallback: 30_000,
      least: 1_000,
    }),
    json: flag('print one JSON object'),
  },
  example: '--rounds 5',
});

/** How long the memory of a process is left to settle. */
const SETTLING_MS = 1_500;
const CONNECTIONS = 1_000;
const IDLE_TIMES = 3;
const WARMING_REQUESTS = 20_000;
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const POST = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1024\r\n\r\n${'x'.repeat(1_024)}`;

const HEAD = `| proxy | requests/s, 64 clients | processor for each, µs | p99, 4 clients, ms | added to it | at start, MiB | ${String(CONNECTIONS)} idle, + MiB | ${String(CONNECTIONS)} held, + MiB |
| --- | --- | --- | --- | --- | --- | --- | --- |`;

interface Figures {
  readonly name: string;
  requestsPerSecond: number;
  /** Of a processor, for each request. */
  processorMicros: number;
  p99Ms: number;
  p99AddedMs: number;
  startMib: number;
  idleMib: number;
  heldMib: number | null;
}

if (spawnSync('ab', ['-V']).status !== 0) {
  process.stderr.write('Nothing is measured: ab is not installed (apache2-utils).\n');
  process.exit(1);
}

const directory = mkdtempSync(join(tmpdir(), 'failover-proxy-bench-'));
const hasHaproxy = spawnSync('haproxy', ['-v']).status === 0;
if (!hasHaproxy) process.stderr.write('HAProxy is not installed: measured without it.\n');
/** Of `sides`, each again. */
const starters: (() => Promise<Side>)[] = [];
const sides: Side[] = [];
const tcpSides: Side[] = [];
try {
  const upstream = await startUpstream();
  const { port } = upstream;
  starters.push(
    startUpstream,
    () => startFailover(port),
    () => startPlain(port),
  );
  if (hasHaproxy) starters.push(() => startHaproxy(port, directory));
  sides.push(upstream);
  for (const start of starters.slice(1)) sides.push(await start());
  const notes: string[] = [];
  const figures = await measure(notes);
  const talker = await startTalker();
  tcpSides.push(talker, await startFailover(talker.port, 'tcp'));
  tcpSides.push(await startPlainSplice(talker.port));
  if (hasHaproxy) tcpSides.push(await startHaproxy(talker.port, directory, 'tcp'));
  print(figures, await measureTcp(tcpSides, { rounds, notes }), notes);
} finally {
  for (const side of [...sides, ...tcpSides]) side.end();
  rmSync(directory, { recursive: true });
}

/** @param notes where is put how it is beside the plain proxy, round by round */
async function measure(notes: string[]): Promise<readonly Figures[]> {
  const speeds = new Map(sides.map(({ name }) => [name, emptySpeeds()]));
  const startMib = new Map(sides.map(({ name, pid }) => [name, memoryMib(pid)]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, port, pid } of inTurn(sides, round)) {
      const beforeMs = processorMs(pid);
      const full = await speedOf(port, { clients: 64, requests }, directory);
      const usedMs = processorMs(pid) - beforeMs;
      const light = await speedOf(port, { clients: 4, requests: requests / 4 }, directory);
      // The first one warms up.
      if (round === 0) continue;
      speeds.get(name)?.perSecond.push(full.requestsPerSecond);
      speeds.get(name)?.micros.push((usedMs * 1_000) / requests);
      speeds.get(name)?.p99.push(light.p99Ms);
    }
  }
  const figures: Figures[] = [];
  for (const [at, side] of sides.entries()) {
    const { perSecond, p99, micros } = speeds.get(side.name) ?? emptySpeeds();
    figures.push({
      ...{ name: side.name, requestsPerSecond: median(perSecond), p99Ms: median(p99) },
      processorMicros: median(micros),
      ...{ p99AddedMs: 0, startMib: startMib.get(side.name) ?? 0 },
      idleMib: await idleMemory(starters[at]),
      heldMib: side.name === 'failover proxy' ? await heldMemory() : null,
    });
  }
  const of = (side: Side | undefined): Speeds => speeds.get(side?.name ?? '') ?? emptySpeeds();
  const [ours, plain] = [of(sides[1]), of(sides[2])];
  notes.push(
    `requests/s ${besidePlain(ours.perSecond, plain.perSecond)}`,
    `processor for each ${besidePlain(ours.micros, plain.micros)}`,
  );
  const direct = figures[0]?.p99Ms ?? 0;
  for (const row of figures) row.p99AddedMs = row.p99Ms - direct;
  return figures;
}

interface Speeds {
  readonly perSecond: number[];
  readonly p99: number[];
  readonly micros: number[];
}

function emptySpeeds(): Speeds {
  return { perSecond: [], p99: [], micros: [] };
}

/** Of one that has just been started, and used a little: what is left of a load would hide them. */
async function idleMemory(start: (() => Promise<Side>) | undefined): Promise<number> {
  const found: number[] = [];
  for (let time = 0; time < IDLE_TIMES && start !== undefined; time += 1) {
    const side = await start();
    try {
      await speedOf(side.port, { clients: 64, requests: WARMING_REQUESTS }, directory);
      await wait(SETTLING_MS);
      const before = memoryMib(side.pid);
      const sockets = await connectMany(side.port, CONNECTIONS, { bytes: GET, isAnswered: true });
      await wait(SETTLING_MS);
      found.push(memoryMib(side.pid) - before);
      for (const socket of sockets) socket.destroy();
    } finally {
      side.end();
    }
  }
  return median(found);
}

/** Of one that has nobody to pass them on to. */
async function heldMemory(): Promise<number> {
  const side = await startFailover(await freePort());
  try {
    await wait(SETTLING_MS);
    const before = memoryMib(side.pid);
    await connectMany(side.port, CONNECTIONS, { bytes: POST, isAnswered: false });
    await wait(SETTLING_MS);
    return memoryMib(side.pid) - before;
  } finally {
    side.end();
  }
}

function print(
  figures: readonly Figures[],
  tcp: readonly TcpFigures[],
  notes: readonly string[],
): void {
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ v: 1, rounds, requests, figures, tcp, besidePlain: notes })}\n`,
    );
    return;
  }
  const rows = figures.map((row) =>
    [
      ...[
        row.name,
        row.requestsPerSecond.toFixed(0),
        row.processorMicros.toFixed(0),
        row.p99Ms.toFixed(2),
        row.p99AddedMs.toFixed(2),
      ],
      ...[row.startMib.toFixed(0), row.idleMib.toFixed(1), row.heldMib?.toFixed(1) ?? '–'],
    ].join(' | '),
  );
  process.stdout.write(`${HEAD}\n${rows.map((row) => `| ${row} |`).join('\n')}\n`);
  process.stdout.write(`\n${tcpTable(tcp)}`);
  process.stdout.write(
    `\nOurs beside the plain one of the same round, the middle of all: ${notes.join(', ')}\n`,
  );
}
