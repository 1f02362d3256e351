// Three hosts with a node each, a fourth with the store and with what the workloads write to, and what was written.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPair } from '../../../src/keys/key-pair.ts';
import { MARK, markedProcesses, signal } from '../../support/process-list.ts';
import { NodeProcess } from '../../support/process-node.ts';
import { TIMINGS } from '../../support/process-setup.ts';
import { storyOf } from '../../support/process-story.ts';
import { textOf } from '../../support/text-of.ts';
import { until } from '../../support/until.ts';
import { continueAllOn, killAllOn, stopAllOn, supervisorOn, workloadOn } from './host-processes.ts';
import type { HostProcess } from './host-processes.ts';
import { Lan, placeOf } from './lan.ts';
import type { Place } from './lan.ts';
import type { SharedStore } from './stores.ts';
import { forgetRuns, readRuns } from './runs.ts';
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
  static async start(kind: SharedStore, writer: string, ttlMs: number): Promise<Site> {
    const mark = randomBytes(8).toString('hex');
    const env = { ...process.env, NODE_OPTIONS: '', XDG_RUNTIME_DIR: '', [MARK]: mark };
    return new Site({ kind, writer, ttlMs, mark, env, lan: await Lan.start(env) });
  }

  private constructor(parts: {
    readonly kind: SharedStore;
    readonly writer: string;
    readonly ttlMs: number;
    readonly mark: string;
    readonly env: NodeJS.ProcessEnv;
    readonly lan: Lan;
  }) {
    const { kind, writer, ttlMs, mark, env, lan } = parts;
    this.lan = lan;
    this.ttlMs = ttlMs;
    this.#kind = kind;
    this.#writer = writer;
    this.#mark = mark;
    this.#directory = realpathSync(mkdtempSync(join(tmpdir(), 'fo-hosts-')));
    // Some servers refuse to run as root, and have to come to their own directory in it.
    chmodSync(this.#directory, 0o711);
    mkdirSync(join(this.#directory, 'store'), { mode: 0o777 });
    mkdirSync(join(this.#directory, 'runs'));
    makeKeys(join(this.#directory, 'keys'), NODES);
    this.#env = {
      ...env,
      WRITER_DIR: join(this.#directory, 'runs'),
      RESOURCE_HOST: this.store.address,
      RESOURCE_PORT: '7000',
    };
    this.#storeHost = this.#startStore();
    this.hosts = NODES.map((id, index) => {
      const place = placeOf(`host-${id}`, index + 1);
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

  /** How many writes came to what checks them after there was a higher epoch. */
  refusedOf(epoch: number): number {
    return this.writes.filter((line) => line === `refused ${String(epoch)}`).length;
  }

  /** One serves and writes, the others follow and hear it; gives the one. */
  async steady(): Promise<{ readonly primary: Host; readonly others: readonly Host[]; run: Run }> {
    return this.until('one to lead and two to follow', () => {
      const primary = this.hosts.find(({ node }) => node.phase === 'serving');
      const others = this.hosts.filter(({ node }) => this.#follows(node));
      if (primary === undefined || others.length !== this.hosts.length - 1) return null;
      const { id, epoch } = primary.node;
      const run = this.runs.findLast((one) => one.node === id && one.epoch === epoch);
      if (run === undefined) return null;
      return this.writes.includes(`accepted ${String(run.epoch)}`) && { primary, others, run };
    });
  }

  /** The run after another, once it has begun. */
  async nextRun({ epoch }: Run): Promise<Run> {
    return this.until('the next workload', () => this.runs.find((run) => run.epoch > epoch));
  }

  /** Null: there is none. */
  workloadOf(host: Host): number | null {
    return workloadOn(this.#processOf(host), this.#writer);
  }

  supervisorOf(host: Host): number {
    const found = supervisorOn(this.#processOf(host));
    if (found === null) throw new Error(`${host.node.id} has no supervisor`);
    return found;
  }

  /** Stops every process of a host, as a machine that is frozen stands still. Gives the moment. */
  async freeze(host: Host): Promise<bigint> {
    const moments: bigint[] = [];
    await this.until('all of the host to stand still', () => {
      moments.push(process.hrtime.bigint());
      return !stopAllOn(this.#processOf(host));
    });
    return moments[0] ?? 0n;
  }

  /** Gives the moment. */
  thaw(host: Host): bigint {
    return continueAllOn(this.#processOf(host));
  }

  /** Takes the power from a host: its connections are not closed, and nobody hears of its end. The moment. */
  async lose(host: Host): Promise<bigint> {
    return this.#lose(host.place, this.#processOf(host));
  }

  startAgain(host: Host): void {
    host.node = this.#startNode(host.node.id, host.place);
  }

  async loseStore(): Promise<bigint> {
    return this.#lose(this.store, { mark: this.#mark, maker: this.#storeHost.pid ?? -1 });
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

  /** What came before a run, and has ended, is of no more interest. */
  forgetBefore(run: Run): void {
    forgetRuns(join(this.#directory, 'runs'), run);
  }

  /** What happened, for the message of a failed test. */
  story(): string {
    const runs = this.runs.map((run) => JSON.stringify(run, withoutBigInts)).join('\n');
    const witness = `${runs}\n${this.writes.slice(-20).join('\n')}`;
    const nodes = this.hosts.map(({ node }) => node);
    return storyOf(nodes, { mark: this.#mark, witness });
  }

  /** And has not been left with nothing but the lease of it, where there is more. */
  #follows({ phase, transitions }: NodeProcess): boolean {
    const reason = transitions.at(-1)?.reason ?? '';
    const isHeard = this.#kind.server === null || !reason.includes('cannot be reached');
    return phase === 'watching' && isHeard;
  }

  #startNode(id: string, place: Place): NodeProcess {
    const options = {
      ...TIMINGS,
      lease: this.#kind.url(this.store),
      'lease-ttl': `${String(this.ttlMs)}ms`,
      'state-dir': join(this.#directory, `state-of-${id}`),
      ...(this.#kind.server === null ? this.#peers() : this.#keysOf(id, place)),
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

  /** Nodes hear each other, too: what one says is encrypted, and each has to know the others' keys. */
  #keysOf(id: string, { address }: Place): Readonly<Record<string, string>> {
    const keys = join(this.#directory, 'keys');
    return {
      bind: `tcp://${address}:7400`,
      'key-file': join(keys, id),
      'authorized-keys': join(keys, 'known'),
    };
  }

  #peers(): Readonly<Record<string, string>> {
    const addresses = NODES.map((id, index) => placeOf(id, index + 1).address);
    return {
      peers: addresses.map((address) => `http://${address}:7400`).join(','),
      'secret-file': join(this.#directory, 'keys', 'secret'),
    };
  }

  #startStore(): ChildProcess {
    const server = this.#kind.server?.(this.store) ?? 'wait';
    const resource = [RESOURCE, this.store.address, '7000', join(this.#directory, 'writes.log')];
    const script = `"$2" "$3" "$4" "$5" "$6" & ${server}`;
    const words = ['sh', '-c', script, 'store', join(this.#directory, 'store')];
    const [program = '', ...rest] = this.lan.hostFor(this.store);
    return spawn(program, [...rest, ...words, process.execPath, ...resource], {
      env: this.#env,
      cwd: this.#directory,
      stdio: 'ignore',
    });
  }

  async #lose(place: Place, host: HostProcess): Promise<bigint> {
    const at = process.hrtime.bigint();
    this.lan.unplug(place);
    await this.until('the end of the host', () => !killAllOn(host));
    return at;
  }

  #processOf({ node }: Host): HostProcess {
    return { mark: this.#mark, maker: node.pid };
  }
}

const NODES = ['a', 'b', 'c'] as const;

/** A pair of keys for each, a list of the public ones, and a secret of all. */
function makeKeys(directory: string, ids: readonly string[]): void {
  mkdirSync(directory);
  const known = ids.map((id) => {
    const { publicKey, secretKey } = generateKeyPair();
    writeFileSync(join(directory, id), `${secretKey}\n`, { mode: 0o600 });
    return `${publicKey} ${id}\n`;
  });
  writeFileSync(join(directory, 'known'), known.join(''));
  writeFileSync(join(directory, 'secret'), randomBytes(32).toString('base64'), { mode: 0o600 });
}

const RESOURCE = join(import.meta.dirname, 'resource.js');

function withoutBigInts(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
