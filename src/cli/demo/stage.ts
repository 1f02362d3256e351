// The demo's processes: real nodes in a directory of their own, and all traces of them removed.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isAlive } from '../../fence/process-identity.ts';
import { peekGroup } from '../../lease/file/peek.ts';
import { packageFile } from '../../package-file.ts';
import { Deadline } from '../deadline.ts';
import { WITNESSED_WORKLOAD, Witness } from './witness.ts';

export const DEMO_GROUP = 'demo';

/** Fast, so that a hang is noticed while one watches. */
const TIMINGS = [
  ...['--heartbeat-interval', '100ms', '--heartbeat-timeout', '600ms'],
  ...['--probe-timeout', '200ms', '--probe-attempts', '2', '--fence-grace', '500ms'],
  ...['--stop-grace', '2s'],
];

/** How long everything has to end in order before it is killed, ms. */
const END_LIMIT_MS = 5_000;

const launcher = packageFile('bin/failover.js');

/** Three nodes and what they left. `close` must be called, whatever happened. */
export class Stage {
  readonly stateDir: string = mkdtempSync(join(tmpdir(), 'failover-demo-'));
  readonly witness: Witness = new Witness();
  readonly #nodes = new Map<string, ChildProcess>();
  /** The last thing each node said on stderr: for the message when it fails. */
  readonly #said = new Map<string, string>();
  /** Where the nodes listen, outside the directory: one that is killed can't remove its sockets. */
  readonly #sockets = new Set<string>();
  #isClosing = false;

  /** Starts a node, unless the stage is being closed; its workload reports to the witness. */
  start(node: string): void {
    if (this.#isClosing) return;
    const options = ['--group', DEMO_GROUP, '--node', node, '--state-dir', this.stateDir];
    const format = ['--log-format', 'json'];
    const workload = ['--', '/bin/sh', '-c', WITNESSED_WORKLOAD];
    const child = spawn(
      process.execPath,
      [launcher, 'run', ...options, ...format, ...TIMINGS, ...workload],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, DEMO_WITNESS: join(this.stateDir, 'witness.lock') },
      },
    );
    child.on('error', (error) => this.#said.set(node, error.message));
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.witness.hear(node, line);
    });
    createInterface({ input: child.stderr }).on('line', (line) => this.#said.set(node, line));
    this.#nodes.set(node, child);
  }

  /** Notes where the nodes listen, to clean up after them; a dead node's record is removed by the others. */
  rememberSockets(): void {
    for (const { endpoints } of peekGroup(this.stateDir, DEMO_GROUP)?.nodes ?? []) {
      this.#sockets.add(endpoints.bus).add(endpoints.rpc);
    }
  }

  /** Signals a node's supervisor, and with SIGKILL its workload in the same instant. */
  signal(node: string, signal: 'SIGKILL' | 'SIGSTOP'): void {
    const workload = this.witness.starts.findLast((start) => start.node === node);
    this.#nodes.get(node)?.kill(signal);
    const running = this.witness.running.find(({ pid }) => pid === workload?.pid);
    if (signal === 'SIGKILL' && running !== undefined) killQuietly(running.pid, signal);
  }

  /** What each node said last, for a failure that nothing else explains. */
  lastWords(): string {
    return [...this.#said].map(([node, line]) => `${node}: ${line}`).join('\n');
  }

  /** Ends every process and removes every file. Bounded; never throws. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const left = (): ChildProcess[] => [...this.#nodes.values()].filter(isRunning);
    for (const child of left()) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
    }
    const deadline = new Deadline(END_LIMIT_MS);
    const isOver = (): boolean => left().length === 0 && this.witness.running.length === 0;
    if (!(await deadline.until(isOver, 10))) {
      for (const child of left()) child.kill('SIGKILL');
      for (const process of this.witness.running) {
        if (isAlive(process)) killQuietly(process.pid, 'SIGKILL');
      }
    }
    this.#removeFiles();
  }

  #removeFiles(): void {
    try {
      this.rememberSockets();
      for (const socket of this.#sockets) rmSync(socket.replace(/^ipc:\/\//, ''), { force: true });
      rmSync(this.stateDir, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // The temporary directory of the system is cleaned by the system.
    }
  }
}

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in this instant, which is what was wanted.
  }
}
