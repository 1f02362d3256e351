// A group of real nodes in a directory of its own: started, watched, ended and judged by the witness.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readStat } from '../../src/fence/process-identity.ts';
import { scanSessions } from '../../src/fence/session-members.ts';
import {
  isNoZombie,
  isTakenDown,
  MARK,
  markedProcesses,
  signal,
  zombiesOf,
} from './process-list.ts';
import type { MarkedProcess } from './process-list.ts';
import { LAUNCHER, NodeProcess, startClient, startOnTerminal, startShell } from './process-node.ts';
import type { ClientProcess, ClientResult, NodeLaunch } from './process-node.ts';
import { TIMINGS } from './process-setup.ts';
import type { GroupSetup, NodeSetup } from './process-setup.ts';
import { storyOf } from './process-story.ts';
import { readNodeFiles } from './process-records.ts';
import type { NodeFile } from './process-records.ts';
import { faultsOf, readWitness, witnessProgram } from './process-witness.ts';
import type { WitnessLine } from './process-witness.ts';

/** How long a condition is waited for: nothing here takes a tenth of it on a machine with a CPU to spare. */
const PATIENCE_MS = 60_000;

/** Between two looks that cost next to nothing, and between two of a machine that is too busy for them. */
const PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;

type Looked<T> = T | false | null | undefined;

type ClientLaunch = Omit<NodeLaunch, 'id' | 'uid'>;

/** Runs a body with a group, then ends the group in order and lets the checker judge all that happened. */
export async function inGroup(
  body: (group: Group) => Promise<void>,
  setup: GroupSetup = {},
): Promise<void> {
  // Here alone: the group itself also serves programs that are no tests.
  const { onTestFinished } = await import('vitest');
  const group = new Group(setup);
  // Not after the body: a test that ran out of time never comes to that.
  onTestFinished(() => group.clear());
  try {
    await body(group);
    await group.endInOrder();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}\n${group.story()}`, { cause: error });
  }
}

export class Group {
  readonly directory: string;
  readonly stateDir: string;
  readonly nodes: NodeProcess[] = [];
  readonly witness: string = witnessProgram();
  readonly mark: string = randomBytes(8).toString('hex');
  readonly #setup: GroupSetup;
  readonly #sockets = new Map<string, readonly string[]>();

  constructor(setup: GroupSetup = {}) {
    this.#setup = setup;
    this.directory = realpathSync(mkdtempSync(join(tmpdir(), 'fo-')));
    this.stateDir = join(this.directory, 'state');
    if (setup.asUser !== undefined) {
      chmodSync(this.directory, 0o777);
    }
  }

  /** The state directory of the group itself. */
  get groupDir(): string {
    return join(this.stateDir, 'g');
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  text(name: string): string {
    try {
      return readFileSync(this.path(name), 'utf8');
    } catch {
      return '';
    }
  }

  /**
   * Removes a directory into which the nodes write while it goes. Not with `rmSync`: from Node.js 24 on it returns
   * with the directory still there when something else in it goes meanwhile. Where they are always faster it is moved
   * away first: nobody makes anything in what has no name.
   */
  remove(directory: string): void {
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      if (spawnSync('rm', ['-rf', directory]).status === 0) return;
    }
    this.removeOnce(directory);
  }

  /** In one step: where `remove` has to try again, it removes what the nodes have made anew as well. */
  removeOnce(directory: string): void {
    const moved = `${directory}.removed-${randomBytes(4).toString('hex')}`;
    renameSync(directory, moved);
    const { status, stderr } = spawnSync('rm', ['-rf', moved], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`rm -rf ${moved}: ${stderr}`);
  }

  files(directory: string): readonly string[] {
    return existsSync(directory) ? readdirSync(directory) : [];
  }

  /** Whether a process is there and no zombie. */
  lives(pid: number): boolean {
    const state = readStat(pid)?.state;
    return state !== undefined && state !== 'Z' && state !== 'X';
  }

  /** The state letter of a process; '' when it is gone. */
  stateOf(pid: number): string {
    return readStat(pid)?.state ?? '';
  }

  /** Every living process that this group has started, its clients too. */
  marked(): readonly MarkedProcess[] {
    return markedProcesses(this.mark);
  }

  /** The living processes of all sessions that a node has on record. */
  sessionOf(id: string): readonly number[] {
    const record = this.records().find(({ node }) => node === id);
    const sessions = record?.sessions.map((session) => session.process.pid) ?? [];
    return [...scanSessions(new Set(sessions)).values()].flat().map(({ pid }) => pid);
  }

  signal(pid: number, name: NodeJS.Signals): void {
    signal(pid, name);
  }

  get lines(): readonly WitnessLine[] {
    return readWitness(this.directory);
  }

  /** How many workloads have become active. */
  get starts(): number {
    return this.lines.filter(({ what }) => what === 'start' || what === 'overlap').length;
  }

  /** Just so many have: waits for the last of them, which may be about to say so while its node serves. */
  async hasStarted(count: number): Promise<void> {
    if (count > 0) await this.active(count);
    if (this.starts > count) throw new Error(`${this.starts} workloads began, not ${count}`);
  }

  /** Starts a node; it has not joined yet. */
  launch(id: string, setup: NodeSetup = {}): NodeProcess {
    const { run = 'exec "$W"', isNamed = true } = setup;
    const command = typeof run === 'string' ? ['sh', '-c', run] : run;
    const options = { ...TIMINGS, ...this.#setup.options, ...setup.options };
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const node = new NodeProcess({
      id,
      args: [
        ...['run', '--group', 'g', ...(isNamed ? ['--node', id] : [])],
        ...['--state-dir', this.stateDir],
        ...['--log-format', 'json', ...flags],
        ...(command === null ? [] : ['--', ...command]),
      ],
      env: { ...this.#environment(), ...setup.env },
      uid: this.#setup.asUser ?? null,
      cwd: this.directory,
      through: setup.through ?? [],
    });
    this.nodes.push(node);
    return node;
  }

  /** Starts a node and waits until it takes part. */
  async start(id: string, setup: NodeSetup = {}): Promise<NodeProcess> {
    const node = this.launch(id, setup);
    await this.until(`${id} to join`, () => node.log.some(({ event }) => event === 'joined'));
    this.noteSockets();
    return node;
  }

  /** Starts the first as primary and the others as secondaries that follow it. */
  async startAll<const Ids extends readonly string[]>(
    ids: Ids,
    setup: NodeSetup = {},
  ): Promise<{ readonly [Place in keyof Ids]: NodeProcess }> {
    const nodes: NodeProcess[] = [];
    const { starts } = this;
    for (const id of ids) {
      const node = await this.start(id, setup);
      nodes.push(node);
      await this.reaches(node, nodes.length === 1 ? 'serving' : 'watching');
    }
    // A primary serves once its workload is spawned: one that is ended before its first line would not be counted.
    if (isWitness(setup.run)) await this.active(starts + 1);
    // One was pushed for each id.
    return nodes as { readonly [Place in keyof Ids]: NodeProcess };
  }

  /** Waits for a phase that the node has entered at least so many times, and is in now. */
  async reaches(node: NodeProcess, phase: string, times = 1): Promise<void> {
    await this.until(`${node.id} to be ${phase} for the ${times}. time`, () => {
      if (node.end !== null && phase !== 'stopped') throw new Error(`${node.id} has ended`);
      return node.phase === phase && node.timesIn(phase) >= times;
    });
  }

  /** The one of these nodes that serves, once there is one. */
  async primaryOf(nodes: readonly NodeProcess[]): Promise<NodeProcess> {
    return this.until('a primary', () =>
      nodes.find((node) => node.end === null && node.phase === 'serving'),
    );
  }

  async ends(node: NodeProcess): Promise<number | string> {
    return this.until(`the end of ${node.id}`, () => node.end);
  }

  /** The pid of the workload that became active last, once that many have. */
  async active(count: number): Promise<WitnessLine> {
    return this.until(`start ${count} of a workload`, () => {
      const starts = this.lines.filter(({ what }) => what === 'start' || what === 'overlap');
      return starts.length >= count ? starts.at(-1) : null;
    });
  }

  /** The first value that is neither false, null nor undefined. */
  async until<T>(what: string, look: () => Looked<T> | Promise<Looked<T>>): Promise<T> {
    const untilMs = performance.now() + (this.#setup.patienceMs ?? PATIENCE_MS);
    for (;;) {
      const lookedAtMs = performance.now();
      const looked = look();
      // What is seen at once is told at once: it may pass in a moment.
      const value = looked instanceof Promise ? await looked : looked;
      if (value !== false && value !== null && value !== undefined) return value;
      const nowMs = performance.now();
      if (nowMs > untilMs) throw new Error(`Waited in vain for ${what}`);
      // Looks take a quarter of a CPU at most, so that what is waited for has the rest.
      const pauseMs = Math.max(PAUSE_MS, 3 * (nowMs - lookedAtMs));
      await delay(Math.min(pauseMs, LONGEST_PAUSE_MS));
    }
  }

  /** Lets so many heartbeats of a node pass: its touches of the lock are counted, not the time. */
  async beats(count: number): Promise<void> {
    const lock = join(this.groupDir, 'primary.lock');
    let last = '';
    let seen = -1;
    await this.until(`${count} heartbeats`, () => {
      const now = String(mtimeOf(lock));
      if (now !== last) seen += 1;
      last = now;
      return seen >= count;
    });
  }

  /** A command of a client, to its end. */
  async client(...args: readonly string[]): Promise<ClientResult> {
    return this.startClient(...args).done;
  }

  startClient(...args: readonly string[]): ClientProcess {
    return startClient({ ...this.#clientLaunch(args), uid: this.#setup.asUser ?? null });
  }

  /** A script in the directory of the group; `$ON_GROUP` are the flags that name it. */
  startShell(script: string): ClientProcess {
    const ON_GROUP = `--group g --state-dir ${this.stateDir}`;
    return startShell(script, { env: { ...this.#environment(), ON_GROUP }, cwd: this.directory });
  }

  /**
   * A command of a client on a terminal; a size of null: one that does not know how large it is. `next`: what a shell
   * does there when it has ended.
   */
  onTerminal(
    size: { readonly rows: number; readonly columns: number; readonly next?: string } | null,
    ...args: readonly string[]
  ): ClientProcess {
    return startOnTerminal(this.#clientLaunch(args), size, size?.next);
  }

  /** Remembers where the nodes' sockets are: they have to be gone when the nodes are. */
  noteSockets(): void {
    for (const record of this.records()) {
      // That of a dead one, which may have had the same id, stays for a while.
      if (!this.lives(record.supervisor.pid)) continue;
      this.#sockets.set(
        record.node,
        Object.values(record.endpoints).map((endpoint) => endpoint.slice('ipc://'.length)),
      );
    }
  }

  socketsOf(node: NodeProcess): readonly string[] {
    return this.#sockets.get(node.id) ?? [];
  }

  records(): readonly NodeFile[] {
    return readNodeFiles(join(this.groupDir, 'nodes'));
  }

  /** Ends every node that still runs with SIGTERM, and checks what must hold at the end. */
  async endInOrder(): Promise<void> {
    this.noteSockets();
    // One that was fenced just now is still being taken down when its successor runs.
    const living = this.nodes.filter(
      ({ end, killed, pid }) => end === null && !killed && !isTakenDown(pid),
    );
    // Before that a signal does what the system's default is.
    await this.until('all to have joined', () => living.every(({ log }) => log.length > 0));
    const zombies = zombiesOf(living.map((node) => node.pid));
    // One that has done all it had to would take a further signal as any ending program does.
    for (const node of living) if (!node.isDone) node.kill('SIGTERM');
    for (const node of living) await this.ends(node);
    this.judge();
    if (zombies.length > 0) {
      await this.until('the zombies to be waited for', () =>
        zombies.every((pid) => isNoZombie(pid)),
      );
    }
    await this.until('the end of all processes', () => markedProcesses(this.mark).length === 0);
    const left = living.flatMap((node) => this.socketsOf(node)).filter((path) => existsSync(path));
    if (left.length > 0) throw new Error(`sockets left: ${left.join(', ')}`);
    const badEnds = living.filter((node) => typeof node.end !== 'number');
    if (badEnds.length > 0) throw new Error('a node did not end by itself on SIGTERM');
    const traces = this.nodes.filter(({ stray }) => /^\s+at .+:\d+:\d+/m.test(stray));
    if (traces.length > 0) throw new Error('a node printed a stack trace');
  }

  /** What the witness saw so far: throws if two were active at once, or an epoch did not rise. */
  judge(): void {
    const faults = faultsOf(this.lines);
    if (faults.length > 0) throw new Error(`THE WITNESS: ${faults.join('; ')}`);
  }

  /** Ends every process there is, in order or not; then removes the directory, unless it is to be kept. */
  async clear({ keeps = false }: { readonly keeps?: boolean } = {}): Promise<void> {
    this.noteSockets();
    for (let round = 0; round < 200; round += 1) {
      const left = markedProcesses(this.mark);
      for (const { pid } of left) signal(pid, 'SIGKILL');
      if (left.length === 0 && this.nodes.every((node) => node.end !== null)) break;
      await delay(10);
    }
    for (const paths of this.#sockets.values()) {
      for (const path of paths) rmSync(path, { force: true });
    }
    if (!keeps) this.remove(this.directory);
  }

  /** What happened, for the message of a failed test. */
  story(): string {
    return storyOf(this.nodes, { mark: this.mark, witness: this.text('witness.log') });
  }

  #clientLaunch([command = '', ...rest]: readonly string[]): ClientLaunch {
    return {
      args: [command, '--group', 'g', '--state-dir', this.stateDir, ...rest],
      env: this.#environment(),
      cwd: this.directory,
    };
  }

  #environment(): NodeJS.ProcessEnv {
    const { env, asUser } = this.#setup;
    const runtimeDir = this.path('run');
    if (asUser !== undefined) mkdirSync(runtimeDir, { recursive: true, mode: 0o777 });
    if (asUser !== undefined) chmodSync(runtimeDir, 0o777);
    return {
      ...process.env,
      NODE_OPTIONS: '',
      [MARK]: this.mark,
      LAUNCHER,
      W: this.witness,
      WITNESS_DIR: this.directory,
      XDG_RUNTIME_DIR: runtimeDir,
      ...env,
    };
  }
}

function mtimeOf(path: string): bigint {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? 0n;
}

/** Whether a workload says when it starts. */
function isWitness(run: NodeSetup['run'] = 'exec "$W"'): boolean {
  return typeof run === 'string' && run.startsWith('exec "$W"');
}
