// Reads what the benchmark's workload wrote, and waits for more of it.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * @typedef {object} Stamp
 * @property {'start' | 'end'} what
 * @property {number} atMs on the machine's monotonic clock
 * @property {number} pid
 */

/**
 * Compiles the workload into a directory; returns its path.
 * @param {string} directory
 */
export function buildStamp(directory) {
  const program = join(directory, 'stamp');
  execFileSync('cc', ['-O2', '-o', program, join(import.meta.dirname, 'stamp.c')]);
  return program;
}

/**
 * @param {string} file
 * @returns {Stamp[]}
 */
export function readStamps(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [what, ns, pid] = line.split(' ');
      return {
        what: what === 'end' ? 'end' : 'start',
        atMs: Number(BigInt(ns ?? 0) / 1000n) / 1000,
        pid: Number(pid),
      };
    });
}

/**
 * Polls until `find` gives something; the poll takes no part in what is measured: stamps carry times.
 * @template T
 * @param {string} what
 * @param {() => T | null | undefined} find
 * @param {number} [timeoutMs]
 * @returns {Promise<T>}
 */
export async function waitFor(what, find, timeoutMs = 60_000) {
  const until = now() + timeoutMs;
  for (;;) {
    const found = find();
    if (found !== null && found !== undefined) return found;
    if (now() > until) throw new Error(`waited ${String(timeoutMs)} ms in vain for ${what}`);
    await pause(2);
  }
}

/** The machine's monotonic clock, ms. */
export function now() {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
