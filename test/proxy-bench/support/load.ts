// Load and memory: ab against a port, connections that stay, and what a process takes.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Speed {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

/** Each of so many clients sends the next request when it has its answer, over a connection that stays. */
export async function speedOf(
  port: number,
  { clients, requests }: { readonly clients: number; readonly requests: number },
  directory: string,
): Promise<Speed> {
  const table = join(directory, 'percentiles.csv');
  const counts = ['-c', String(clients), '-n', String(requests)];
  const args = ['-q', '-k', ...counts, '-e', table, `http://127.0.0.1:${String(port)}/`];
  const { stdout } = await run('ab', args);
  const failed = /^Failed requests:\s+(\d+)/m.exec(stdout)?.[1];
  if (failed !== '0' || stdout.includes('Non-2xx'))
    throw new Error(`Not all were answered: ${stdout}`);
  const perSecond = /^Requests per second:\s+([\d.]+)/m.exec(stdout)?.[1];
  const p99 = /^99,([\d.]+)/m.exec(readFileSync(table, 'utf8'))?.[1];
  return { requestsPerSecond: Number(perSecond), p99Ms: Number(p99) };
}

/** What it has used of processors, ms: more is asked of the machine than it has, and this does not change. */
export function processorMs(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks * 1_000) / TICKS_PER_SECOND;
}

/** USER_HZ of every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** Of all its processes, MiB: what they alone have, and their part of what they share. */
export function memoryMib(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 'none') / 1024;
}

/** Connects so often and sends the bytes over each; resolves when `count` have an answer, or none is awaited. */
export async function connectMany(
  port: number,
  count: number,
  { bytes, isAnswered }: { readonly bytes: string; readonly isAnswered: boolean },
): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      socket.write(bytes, () => {
        if (!isAnswered) resolve();
      });
      socket.on('data', () => {
        resolve();
      });
    });
  }
  return sockets;
}
