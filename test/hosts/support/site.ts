// Three hosts with a node each, a fourth with the store and with what the workloads write to, and what was written.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasEnded, readStat } from '../../../src/fence/process-identity.ts';
import { isTakenDown, MARK, markedProcesses, signal } from '../../support/process-list.ts';
import { NodeProcess } from '../../support/process-node.ts';
import { TIMINGS } from '../../support/process-setup.ts';
import { storyOf } from '../../support/process-story.ts';
import { textOf } from '../../support/text-of.ts';
import { until } from '../../support/until.ts';
import { Lan, placeOf } from './lan.ts';
import type { Place } from './lan.ts';
import type { SharedStore } from './stores.ts';
import { faultsOf, forgetRuns, readRuns } from './runs.ts';
import type { Run } from './runs.ts';

/** Nothing here takes a tenth of it on a machine with a CPU to spare. */
const PATIENCE_MS = 60_000;

export interface Host {
  readonly place: Place;
  node: NodeProcess;
}

export class Site {
  readonly lan: Lan;
  readonly store: Place = placeOf('store', 4);
  readonly hosts: readonly Host[];
  readonly ttlMs: number;
  readonly #kind: SharedStore;
  readonly #directory: string;
  readonly #writer: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #mark: string;
  #storeHost: ChildProcess;

  /** @param writer the program that is each node's workload */
  static async start(kind: SharedStore, writer: string): Promise<Site> {
    const mark = randomBytes(8).toString('hex');
    const env = { ...process.env, NODE_OPTIONS: '', XDG_RUNTIME_DIR: '', [MARK]: mark };
    return new Site({ kind, writer, mark, env, lan: await Lan.start(env) });
  }

  private constructor(parts: {
    readonly kind: SharedStore;
    readonly writer: string;
    readonly mark: string;
    readonly env: NodeJS.ProcessEnv;
    readonly lan: Lan;
  }) {
    const { kind, writer, mark, env, lan } = parts;
    this.lan = lan;
    this.ttlMs = kind.ttlMs;
    this.#kind = kind;
    this.#writer = writer;
    this.#mark = mark;
    this.#directory = realpathSync(mkdtempSync(join(tmpdir(), 'fo-hosts-')));
    mkdirSync(join(this.#directory, 'store'), { mode: 0o777 });
    mkdirSync(join(this.#directory, 'runs'));
    this.#env = {
      ...env,
      WRITER_DIR: join(this.#directory, 'runs'),
      RESOURCE_HOST: this.store.address,
      RESOURCE_PORT: '7000',
    };
    this.#storeHost = this.#startStore();
    this.hosts = ([1, 2, 3] as const).map((number) => {
      const id = ['a', 'b', 'c'][number - 1] ?? '';
      const place = placeOf(`host-${id}`, number);
      return { place, node: this.#startNode(id, place) };
    });
  }

  /** What the workloads wrote, by epoch. */
  get runs(): readonly Run[] {
    return readRuns(join(this.#directory, 'runs'));
  }

  /** How the checked writes went: `accepted` with the first of each epoch, `refused` with each. */
  get writes(): readonly string[] {
    return textOf(join(this.#directory, 'writes.log')).split('\n').slice(0, -1);
  }

  /** One serves and writes, the others follow; gives the one. */
  async steady(): Promise<{ readonly primary: Host; readonly others: readonly Host[]; run: Run }> {
    return this.until('one to lead and two to follow', () => {
      const primary = this.hosts.find(({ node }) => node.phase === 'serving');
      const others = this.hosts.filter(({ node }) => node.phase === 'watching');
      const run = this.runs.at(-1);
      if (primary === undefined || others.length !== this.hosts.length - 1) return null;
      if (run?.node !== primary.node.id) return null;
      return this.writes.includes(`accepted ${String(run.epoch)}`) && { primary, others, run };
    });
  }

  /** The run after another, once it has begun. */
  async nextRun({ epoch }: Run): Promise<Run> {
    return this.until('the next workload', () => this.runs.find((run) => run.epoch > epoch));
  }

  /** Whether the workload of a host is not there any more. */
  hasNoWorkload({ node }: Host): boolean {
    return this.#processesOf(node.id).every(({ command }) => !command.startsWith(this.#writer));
  }

  supervisorOf({ node }: Host): number {
    const found = this.#processesOf(node.id).find(({ command }) => isSupervisor(command));
    if (found === undefined) throw new Error(`${node.id} has no supervisor`);
    return found.pid;
  }

  workloadOf({ node }: Host): number {
    const found = this.#processesOf(node.id).find(({ command }) =>
      command.startsWith(this.#writer),
    );
    if (found === undefined) throw new Error(`${node.id} has no workload`);
    return found.pid;
  }

  /** Stops every process of a host, as a machine that is frozen stands still. */
  async freeze({ node }: Host): Promise<void> {
    await this.until('all of the host to stand still', () => {
      const running = this.#pidsWith(node.pid).filter((pid) => !isStopped(pid));
      for (const pid of running) signal(pid, 'SIGSTOP');
      return running.length === 0;
    });
  }

  thaw({ node }: Host): void {
    for (const pid of this.#pidsWith(node.pid)) signal(pid, 'SIGCONT');
  }

  /** Takes the power from a host: its connections are not closed, and nobody hears of its end. */
  async lose(host: Host): Promise<void> {
    this.lan.unplug(host.place);
    await this.#kill(host.node.pid);
  }

  startAgain(host: Host): void {
    host.node = this.#startNode(host.node.id, host.place);
  }

  async loseStore(): Promise<void> {
    this.lan.unplug(this.store);
    await this.#kill(this.#storeHost.pid ?? -1);
  }

  startStoreAgain(): void {
    this.#storeHost = this.#startStore();
  }

  async until<T>(what: string, look: () => T | false | null | undefined): Promise<T> {
    return until(what, look, PATIENCE_MS);
  }

  /** Ends all that there is of it, and leaves nothing. */
  async stop(): Promise<void> {
    await this.lan.stop();
    await this.until('the end of all processes', () => {
      const left = markedProcesses(this.#mark);
      for (const { pid } of left) signal(pid, 'SIGKILL');
      return left.length === 0;
    });
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** What is wrong with the runs since one; `expected` may have begun while another stood still. */
  faultsSince({ epoch }: Run, expected: Run | null): readonly string[] {
    return faultsOf(
      this.runs.filter((run) => run.epoch > epoch),
      expected,
    );
  }

  /** What came before a run is of no more interest. */
  forgetBefore({ epoch }: Run): void {
    forgetRuns(join(this.#directory, 'runs'), epoch);
  }

  /** What happened, for the message of a failed test. */
  story(): string {
    const runs = this.runs.map((run) => JSON.stringify(run, textOfBig)).join('\n');
    const witness = `${runs}\n${this.writes.slice(-20).join('\n')}`;
    const nodes = this.hosts.map(({ node }) => node);
    return storyOf(nodes, { mark: this.#mark, witness });
  }

  #startNode(id: string, place: Place): NodeProcess {
    const options = {
      ...TIMINGS,
      lease: this.#kind.url(this.store),
      'lease-ttl': `${String(this.ttlMs)}ms`,
      'state-dir': join(this.#directory, `state-of-${id}`),
    };
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    return new NodeProcess({
      id,
      args: [
        ...['run', '--group', 'g', '--node', id, '--log-format', 'json', ...flags],
        ...['--', this.#writer],
      ],
      env: this.#env,
      uid: null,
      cwd: this.#directory,
      through: this.lan.hostFor(place),
    });
  }

  #startStore(): ChildProcess {
    const resource = [RESOURCE, this.store.address, '7000', join(this.#directory, 'writes.log')];
    const script = `"$2" "$3" "$4" "$5" "$6" & ${this.#kind.server(this.store)}`;
    const words = ['sh', '-c', script, 'store', join(this.#directory, 'store')];
    const [program = '', ...rest] = this.lan.hostFor(this.store);
    return spawn(program, [...rest, ...words, process.execPath, ...resource], {
      env: this.#env,
      cwd: this.#directory,
      stdio: 'ignore',
    });
  }

  /** Ends the first process of a host's namespace, and so all of them. */
  async #kill(outside: number): Promise<void> {
    await this.until('the end of the host', () => {
      const left = this.#pidsWith(outside);
      for (const pid of left) signal(pid, 'SIGKILL');
      return left.length === 0;
    });
  }

  /** What runs on the host of a node. */
  #processesOf(id: string): readonly { readonly pid: number; readonly command: string }[] {
    const host = this.hosts.find(({ node }) => node.id === id);
    const pids = new Set(host === undefined ? [] : this.#pidsWith(host.node.pid));
    return markedProcesses(this.#mark).filter(({ pid }) => pids.has(pid) && !isTakenDown(pid));
  }

  /** The processes of the host whose namespaces were made by a process of this one. */
  #pidsWith(maker: number): readonly number[] {
    const own = namespaceOf('self');
    const marked = markedProcesses(this.#mark).map(({ pid }) => pid);
    const first = marked.find((pid) => readStat(pid)?.parent === maker);
    const namespace = first === undefined ? null : namespaceOf(String(first));
    if (namespace === null || namespace === own) return [];
    return marked.filter((pid) => namespaceOf(String(pid)) === namespace);
  }
}

const RESOURCE = join(import.meta.dirname, 'resource.js');

function isSupervisor(command: string): boolean {
  return !/^(?:\S*\/)?sh /.test(command) && command.includes(' --node ');
}

function isStopped(pid: number): boolean {
  const stat = readStat(pid);
  return stat === null || stat.state === 'T' || hasEnded(stat);
}

function namespaceOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

function textOfBig(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
