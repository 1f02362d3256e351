// The tcp mode: how fast one long answer comes through, and how many connections a second.
import { connect } from 'node:net';
import { processorMs } from './load.ts';
import { besidePlain, inTurn, median } from './median.ts';
import type { Side } from './sides.ts';

export interface TcpFigures {
  readonly name: string;
  readonly mibPerSecond: number;
  /** Of a processor, for each MiB. */
  readonly microsPerMib: number;
  readonly connectionsPerSecond: number;
  /** Of a processor, for each connection. */
  readonly microsPerConnection: number;
}

const MIB = 1024 * 1024;
const BULK_MIB = 512;
const CONNECTIONS = 4_000;
/** How many of them there are at a time. */
const CLIENTS = 16;

/** In turns, after one that warms up; `notes` is told how it is beside the plain splice. */
export async function measureTcp(
  sides: readonly Side[],
  { rounds, notes }: { readonly rounds: number; readonly notes: string[] },
): Promise<readonly TcpFigures[]> {
  const found = sides.map((side) => ({ side, bulks: emptyRuns(), visits: emptyRuns() }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { side, bulks, visits } of inTurn(found, round)) {
      const bulk = await timed(side, () => asked(side.port, BULK_MIB * MIB));
      const visit = await timed(side, () => visited(side.port));
      if (round === 0) continue;
      bulks.push(bulk);
      visits.push(visit);
    }
  }
  const [, ours, plain] = found;
  if (ours !== undefined && plain !== undefined) {
    const rates = (runs: readonly Run[]): readonly number[] => runs.map(({ wallMs }) => 1 / wallMs);
    notes.push(
      `MiB/s in tcp mode ${besidePlain(rates(ours.bulks), rates(plain.bulks))}`,
      `connections/s ${besidePlain(rates(ours.visits), rates(plain.visits))}`,
    );
  }
  return found.map(({ side, bulks, visits }) => ({
    name: side.name,
    mibPerSecond: (BULK_MIB * 1_000) / median(bulks.map(({ wallMs }) => wallMs)),
    microsPerMib: (median(bulks.map(({ usedMs }) => usedMs)) * 1_000) / BULK_MIB,
    connectionsPerSecond: (CONNECTIONS * 1_000) / median(visits.map(({ wallMs }) => wallMs)),
    microsPerConnection: (median(visits.map(({ usedMs }) => usedMs)) * 1_000) / CONNECTIONS,
  }));
}

export function tcpTable(figures: readonly TcpFigures[]): string {
  const head = [
    '| proxy in tcp mode | MiB/s, one connection | processor for each MiB, µs | connections/s, 16 clients | processor for each, µs |',
    '| --- | --- | --- | --- | --- |',
  ];
  const rows = figures.map((row) => {
    const numbers = [
      ...[row.mibPerSecond, row.microsPerMib, row.connectionsPerSecond, row.microsPerConnection],
    ];
    return `| ${[row.name, ...numbers.map((value) => value.toFixed(0))].join(' | ')} |`;
  });
  return `${[...head, ...rows].join('\n')}\n`;
}

interface Run {
  readonly wallMs: number;
  readonly usedMs: number;
}

function emptyRuns(): Run[] {
  return [];
}

async function timed({ pid }: Side, work: () => Promise<void>): Promise<Run> {
  const usedBeforeMs = processorMs(pid);
  const beforeMs = performance.now();
  await work();
  return { wallMs: performance.now() - beforeMs, usedMs: processorMs(pid) - usedBeforeMs };
}

async function visited(port: number): Promise<void> {
  let left = CONNECTIONS;
  const visitor = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await asked(port, 1);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, visitor));
}

/** Asks for so many bytes over a connection of its own; rejects where fewer come. */
function asked(port: number, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let got = 0;
    const socket = connect(port, '127.0.0.1');
    socket.write(`${String(bytes)}\n`);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (got === bytes) resolve();
      else reject(new Error(`Of ${String(bytes)} bytes ${String(got)} have come`));
    });
  });
}
