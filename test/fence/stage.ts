// Real processes for the tests of fencing: each in a session of its own, all ended when a test is over.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LeaseObservation } from '../../src/core/state.ts';
import type { Answering } from '../../src/fence/answers.ts';
import type { FencingSources } from '../../src/fence/fence.ts';
import type { Remains } from '../../src/fence/leftovers.ts';
import { identityOf, ownIdentity, readStat } from '../../src/fence/process-identity.ts';
import { scanSessions } from '../../src/fence/session-members.ts';
import { KernelLock } from '../../src/lease/file/kernel-lock.ts';
import type { NodeRecord, ProcessIdentity, SessionRecord } from '../../src/lease/lease-store.ts';
import { signal } from '../support/process-list.ts';
import { until } from '../support/until.ts';

export interface Actor {
  readonly identity: ProcessIdentity;
  readonly child: ChildProcess;
  /** Lines it has printed after `ready`. */
  readonly lines: string[];
  /** The signal or exit code that ended it. */
  readonly end: Promise<string | number | null>;
}

/** A state directory with its two locks, and the processes around it. */
export class Stage {
  readonly stateDir: string = realpathSync(mkdtempSync(join(tmpdir(), 'failover-fence-')));
  readonly group = 'web';
  readonly primaryLock: KernelLock;
  readonly workloadLock: KernelLock;
  readonly nodes: NodeRecord[] = [];
  readonly ended: SessionRecord[] = [];
  /** Whether records were removed. */
  missesRecords = false;
  recordsAreKept = true;
  /** What nodes of other pid namespaces left. */
  unseen: readonly Remains[] = [];
  /** How often it was said that nothing is left. */
  cleared = 0;
  observation: Omit<LeaseObservation, 'held'> = {
    epoch: 7,
    holder: null,
    recordUnreadable: false,
    touch: null,
    paused: false,
  };
  /** Whether the process of the holder answers when it is asked, and where it was asked. */
  answering: Answering = 'silent';
  readonly asked: { readonly process: ProcessIdentity; readonly address: string }[] = [];
  readonly #actors: Actor[] = [];

  constructor() {
    const directory = join(this.stateDir, this.group);
    mkdirSync(directory);
    this.primaryLock = new KernelLock(join(directory, 'primary.lock'));
    this.workloadLock = new KernelLock(join(directory, 'workload.lock'));
    for (const { path } of [this.primaryLock, this.workloadLock]) writeFileSync(path, '');
  }

  get sources(): FencingSources {
    return {
      run: OWN_RUN,
      roleFile: this.roleFileOf(OWN_RUN),
      group: this.group,
      stateDir: this.stateDir,
      primaryLockPath: this.primaryLock.path,
      workloadLockPath: this.workloadLock.path,
      observe: () => ({ ...this.observation, held: !this.primaryLock.isFree() }),
      displacedLockPaths: () => [],
      isWorkloadLockFree: () => this.workloadLock.isFree(),
      listNodes: () => this.nodes,
      ownEndedSessions: () => this.ended,
      missesRecordIn: () => this.missesRecords,
      isKept: () => this.recordsAreKept,
      asks: (process, address) => {
        this.asked.push({ process, address: address() });
        return Promise.resolve(this.answering);
      },
      unseenRemains: (nodes) => (nodes.length > 0 ? this.unseen : []),
      cleared: () => {
        this.cleared += 1;
      },
    };
  }

  /** Environment by which a process proves that it is of this group. */
  mark(node: string, run = `run-of-${node}`): Record<string, string> {
    return {
      FAILOVER_ROLE_FILE: this.roleFileOf(run),
      FAILOVER_GROUP: this.group,
      FAILOVER_STATE_DIR: this.stateDir,
      FAILOVER_NODE: node,
    };
  }

  /** Starts a shell script in its own session; resolves once it printed `ready`. Descriptor 3: the lock. */
  async start(script: string, options: StartOptions = {}): Promise<Actor> {
    return this.startCommand(['sh', '-c', script], options);
  }

  /** A process that locks one of the files itself: nothing of it is inherited. */
  async startLockHolder(
    lock: KernelLock,
    then = 'setInterval(() => {}, 1e6)',
    env: Readonly<Record<string, string>> = {},
  ): Promise<Actor> {
    const script = `
      const { openSync } = require('node:fs');
      const fd = openSync(${JSON.stringify(lock.path)}, 'r+');
      if (!require('fs-native-extensions').tryLock(fd)) process.exit(9);
      require('node:fs').writeSync(1, 'ready\\n');
      ${then}`;
    return this.startCommand([process.execPath, '-e', script], { env });
  }

  async startCommand(command: readonly string[], options: StartOptions): Promise<Actor> {
    const [file = '', ...args] = command;
    const lock = options.lock === true ? this.workloadLock.open() : null;
    if (lock?.tryLock() === false) throw new Error('the workload lock is held already');
    const child = spawn(file, args, {
      detached: true,
      cwd: join(import.meta.dirname, '..', '..'),
      stdio: [options.stdin ?? 'ignore', 'pipe', 'ignore', lock?.fd ?? 'ignore'],
      env: { ...process.env, ...options.env },
    });
    lock?.close();
    const end = new Promise<string | number | null>((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(signal ?? code);
      });
    });
    // It may have ended by now; until this turn of the event loop is over it is a zombie at least.
    const stat = readStat(child.pid ?? 0);
    if (stat === null || child.stdout === null) throw new Error(`${file} did not start`);
    const actor: Actor = { identity: identityOf(stat), child, lines: [], end };
    this.#actors.push(actor);
    const output = createInterface(child.stdout);
    await new Promise<void>((resolve) => {
      output.on('line', (line) => {
        if (line === 'ready') resolve();
        else actor.lines.push(line);
      });
    });
    return actor;
  }

  roleFileOf(run: string): string {
    return join(this.stateDir, this.group, `role-${run}.json`);
  }

  addNode(
    node: string,
    supervisor: ProcessIdentity,
    sessions: readonly SessionRecord[] = [],
    {
      rpc,
      ...more
    }: { readonly sharesProcess?: true; readonly rpc?: string; readonly run?: string } = {},
  ): void {
    this.nodes.push({
      v: 1,
      node,
      run: `run-of-${node}`,
      group: this.group,
      version: '0.0.0',
      host: 'test',
      supervisor,
      endsNamespace: false,
      endpoints: rpc === undefined ? ENDPOINTS : { ...ENDPOINTS, rpc },
      standby: 'cold',
      priority: 100,
      startedAt: '2026-01-01T00:00:00.000Z',
      startedAtMonotonicMs: 0,
      sessions,
      ...more,
    });
  }

  /** The epoch record names this node. */
  nameHolder(node: string): void {
    const holder = { node, run: `run-of-${node}`, endpoints: ENDPOINTS };
    this.observation = { ...this.observation, holder };
  }

  /** Ends every process of every session started here, and removes the directory. */
  async close(): Promise<void> {
    const sessions = new Set(this.#actors.map((actor) => actor.identity.pid));
    await until('all processes of the test have ended', () => {
      const members = [...scanSessions(sessions).values()].flat();
      for (const { pid } of members) signal(pid, 'SIGKILL');
      return members.length === 0;
    });
    rmSync(this.stateDir, { recursive: true });
  }
}

/** Of the node that clears. */
export const OWN_RUN = 'own-run';

const ENDPOINTS = { bus: 'ipc:///none', rpc: 'ipc:///none' };

interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Take the workload lock and hand it down as descriptor 3. */
  readonly lock?: boolean;
  /** `pipe`: the test writes to it; the default is nothing. */
  readonly stdin?: 'pipe';
}

/** A supervisor that died: our own pid, as another process had it before. */
export function deadSupervisor(): ProcessIdentity {
  return { ...ownIdentity(), startTime: '1' };
}

export function session(
  actor: { readonly identity: ProcessIdentity },
  changes: Partial<SessionRecord> = {},
): SessionRecord {
  const rules = { active: true, keep: false, stopsWithSupervisor: false };
  return { process: actor.identity, kind: 'workload', ...rules, ...changes };
}

/** Whether the process is there and no zombie. */
export function runs(pid: number): boolean {
  const state = readStat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}
