// Nodes of one group for the benchmark: real processes, each waited for until it takes part.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStamps, waitFor } from './stamps.js';

const BIN = join(import.meta.dirname, '../../bin/failover.js');

/**
 * @typedef {object} Node
 * @property {string} id
 * @property {import('node:child_process').ChildProcess} process
 * @property {string} phase
 * @property {boolean} gone
 */

export class Group {
  /** @type {Node[]} */
  nodes = [];
  #count = 0;

  /**
   * @param {string} stamp
   * @param {string[]} [flags]
   * @param {'' | 'hot' | 'stubborn'} [mode] of the workload, see stamp.c
   * @param {{ apart?: boolean }} [how] apart: as if each node were on a machine of its own
   */
  constructor(stamp, flags = [], mode = '', { apart = false } = {}) {
    this.apart = apart;
    this.stamp = stamp;
    this.flags = flags;
    this.mode = mode;
    this.directory = mkdtempSync(join(tmpdir(), 'failover-bench-'));
    this.file = join(this.directory, 'stamps');
  }

  /** Starts nodes until there are this many, and waits until each has a role. @param {number} size */
  async grow(size) {
    this.nodes = this.nodes.filter((node) => !node.gone);
    while (this.nodes.length < size) {
      const node = this.#start();
      await waitFor(`${node.id} to take part`, () => settled(node));
    }
  }

  /** The node that runs the workload of the last start, and that workload. */
  async primary() {
    const node = await waitFor('a primary', () =>
      this.nodes.find(({ phase, gone }) => phase === 'serving' && !gone),
    );
    const start = await waitFor('a start', () => this.starts().at(-1));
    return { node, workloadPid: start.pid };
  }

  starts() {
    return readStamps(this.file).filter(({ what }) => what === 'start');
  }

  /** The first start after these many. @param {number} count */
  async nextStart(count) {
    return waitFor(`start ${String(count + 1)}`, () => this.starts()[count]);
  }

  /**
   * @param {string[]} args
   * @param {string} [node] whose directory is asked, where each has its own
   */
  async command(args, node = '') {
    const child = spawn(
      process.execPath,
      [BIN, ...args, '--group', 'bench', '--state-dir', this.#stateDir(node)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let out = '';
    child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
      out += chunk.toString();
    });
    await new Promise((resolve) => child.once('close', resolve));
    return out;
  }

  async close() {
    for (const { process: child, gone } of this.nodes) if (!gone) child.kill('SIGCONT');
    for (const { process: child, gone } of [...this.nodes].reverse()) {
      if (!gone) child.kill('SIGTERM');
    }
    await waitFor('the nodes to end', () => (this.nodes.every(({ gone }) => gone) ? true : null));
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** @param {string} node */
  #stateDir(node) {
    return this.apart ? join(this.directory, node) : this.directory;
  }

  #start() {
    this.#count += 1;
    const id = `n${String(this.#count)}`;
    const args = ['run', '--group', 'bench', '--state-dir', this.#stateDir(id), '--node', id];
    const child = spawn(
      process.execPath,
      [BIN, ...args, '--log-format', 'json', ...this.flags, '--', this.stamp, this.file, this.mode],
      { stdio: ['ignore', 'inherit', 'pipe'] },
    );
    /** @type {Node} */
    const node = { id, process: child, phase: 'listening', gone: false };
    child.once('exit', () => {
      node.gone = true;
    });
    followPhase(node);
    this.nodes.push(node);
    return node;
  }
}

/** @param {Node} node */
function settled(node) {
  if (node.gone) throw new Error(`${node.id} ended`);
  return node.phase === 'serving' || node.phase === 'watching' ? true : null;
}

/** @param {Node} node */
function followPhase(node) {
  let rest = '';
  node.process.stderr?.on('data', (/** @type {Buffer} */ chunk) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      /** @type {unknown} */
      const entry = JSON.parse(line);
      if (typeof entry !== 'object' || entry === null || !('to' in entry)) continue;
      node.phase = String(entry.to);
    }
  });
}
