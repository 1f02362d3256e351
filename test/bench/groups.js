// A thousand groups in one `failover up`, and as many standbys in another: what they cost, and how long it takes until
// all have taken over when the first is killed.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { childrenOf, commandLineOf, cpuTicks, kill, mib, pssKib } from './processes.js';
import { now } from './stamps.js';

const BIN = join(import.meta.dirname, '../../bin/failover.js');
const TICKS_PER_SECOND = 100;
const SETTLED_MS = 30_000;
const LIMIT_MS = 300_000;

/** @param {{ groups: number, seconds: number }} how @returns {Promise<import('./takeover.js').Row[]>} */
export async function manyGroups({ groups, seconds }) {
  const directory = mkdtempSync(join(tmpdir(), 'failover-groups-'));
  const file = join(directory, 'failover.yaml');
  const names = Array.from({ length: groups }, (_, i) => `g${String(i)}`);
  const lines = names.map((name) => `  ${name}: {command: [sleep, 1000000]}`);
  const state = join(directory, 'state');
  writeFileSync(file, `stateDir: ${state}\nlogFormat: json\ngroups:\n${lines.join('\n')}\n`);
  const primary = new Up(file, join(directory, 'a.log'));
  const standby = new Up(file, join(directory, 'b.log'));
  try {
    const started = await primary.start('serving', groups);
    const joined = await standby.start('watching', groups);
    await pause(SETTLED_MS);
    const since = now();
    const before = [primary, standby].map((each) => each.cpuTicks());
    await pause(seconds * 1000);
    const took = (now() - since) / 1000;
    const shares = [primary, standby].map(
      (each, i) => (each.cpuTicks() - (before[i] ?? 0)) / TICKS_PER_SECOND / took,
    );
    const memory = [primary, standby].map((each) => each.pssKib());
    const takenOver = standby.all('serving', groups);
    kill(primary.pid, 'SIGKILL');
    const killedAt = now();
    await takenOver;
    const takeoverMs = now() - killedAt;
    await pause(SETTLED_MS);
    // Of what both had in memory together, Node's own program above all, it has all by now.
    const alone = standby.pssKib();
    const each = `${String(groups)} groups`;
    return [
      {
        name: `${each}, start`,
        value: `${inSeconds(started)}; standbys ${inSeconds(joined)}`,
        target: '',
      },
      {
        name: `${each}, PSS`,
        value: `${memory.map(mib).join('; standbys ')}; one process alone, after its takeover ${mib(alone)}`,
        target: '≤ 150 MB',
      },
      {
        name: `${each}, CPU over ${String(seconds)} s`,
        value: shares.map((share) => `${(share * 100).toFixed(1)} %`).join('; standbys '),
        target: '≤ 10 % of a core',
      },
      { name: `${each}, crash takeover of all`, value: inSeconds(takeoverMs), target: '≤ 3 s' },
    ];
  } finally {
    kill(primary.pid, 'SIGKILL');
    await standby.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @param {number} durationMs */
function inSeconds(durationMs) {
  return `${(durationMs / 1000).toFixed(1)} s`;
}

/** One `failover up`, and what it logs: to a file, which never keeps it waiting. */
class Up {
  pid = -1;
  #file;
  #log;
  /** Its log, up to where that was read, and the beginning of a line that was not complete. */
  #reading = -1;
  #readBytes = 0;
  #rest = '';
  /** Which groups have come to a phase. @type {Map<string, Set<string>>} */
  #came = new Map();
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;

  /** @param {string} file @param {string} log */
  constructor(file, log) {
    this.#file = file;
    this.#log = log;
  }

  /** How long it took until so many were there, ms. @param {string} phase @param {number} count */
  async start(phase, count) {
    const since = now();
    const fd = openSync(this.#log, 'w');
    this.#child = spawn(process.execPath, [BIN, 'up', '-f', this.#file], {
      stdio: ['ignore', 'ignore', fd],
    });
    closeSync(fd);
    this.#reading = openSync(this.#log, 'r');
    this.pid = this.#child.pid ?? -1;
    await this.all(phase, count);
    return now() - since;
  }

  /** Once so many groups have come to a phase. @param {string} phase @param {number} count */
  async all(phase, count) {
    const until = now() + LIMIT_MS;
    for (;;) {
      this.#read();
      const there = this.#came.get(phase)?.size ?? 0;
      if (there >= count) return;
      if (now() > until) throw new Error(`${String(there)} of ${String(count)} are ${phase}`);
      await pause(50);
    }
  }

  cpuTicks() {
    return this.#own().reduce((sum, pid) => sum + cpuTicks(pid), 0);
  }

  pssKib() {
    return this.#own().reduce((sum, pid) => sum + pssKib(pid), 0);
  }

  /** Itself and the process that starts its commands, but not these. */
  #own() {
    const starters = childrenOf(this.pid).filter((pid) =>
      commandLineOf(pid).includes('starter.js'),
    );
    return [this.pid, ...starters];
  }

  async stop() {
    const child = this.#child;
    if (child === null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    kill(this.pid, 'SIGTERM');
    await ended;
    closeSync(this.#reading);
  }

  /** Only what is new: it would take much of the time that is measured to read all of it again and again. */
  #read() {
    for (;;) {
      const length = readSync(this.#reading, CHUNK, 0, CHUNK.length, this.#readBytes);
      if (length === 0) return;
      this.#readBytes += length;
      const lines = (this.#rest + CHUNK.toString('latin1', 0, length)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#note(line);
    }
  }

  /** @param {string} line */
  #note(line) {
    const phase = /"to":"([^"]*)"/.exec(line)?.[1];
    const group = /"group":"([^"]*)"/.exec(line)?.[1];
    if (phase === undefined || group === undefined) return;
    const groups = this.#came.get(phase) ?? new Set();
    this.#came.set(phase, groups.add(group));
  }
}

const CHUNK = Buffer.alloc(1024 * 1024);
