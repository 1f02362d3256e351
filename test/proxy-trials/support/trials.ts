// Failovers of a group behind a proxy, one after the other, while requests come; and what became of those.
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { Group } from '../../support/process-group.ts';
import type { ClientProcess, NodeProcess } from '../../support/process-node.ts';
import { bringToStandstill } from '../../support/standstill.ts';
import { Load } from './load.ts';
import type { LoadReport, LostRequest } from './load.ts';

/** crash and hang are faults; the others are planned, and may lose nothing at all. */
export const KINDS = ['crash', 'hang', 'switchover', 'demote', 'stop'] as const;

export type Kind = (typeof KINDS)[number];

export interface Round extends LoadReport {
  readonly kind: Kind;
  /** What is not as it was promised; empty: nothing. */
  readonly broken: readonly string[];
}

export interface Trials {
  readonly rounds: readonly Round[];
  /** The ids of POSTs that were carried out more than once. */
  readonly twice: readonly string[];
  /** What the proxy said at its end. */
  readonly summary: string;
}

export interface TrialPlan {
  readonly kinds: readonly Kind[];
  /** Requests each second, of which half are POSTs. */
  readonly rate: number;
  /** Of the nodes: by default those of `failover run`. */
  readonly options?: Readonly<Record<string, string>>;
  readonly onRound?: (round: Round, number: number) => void;
  /** What proxy and nodes say goes into this file as well. */
  readonly log?: string;
}

const NODES = ['a', 'b', 'c'] as const;
const UPSTREAM = join(import.meta.dirname, 'upstream.js');

export async function runTrials(plan: TrialPlan): Promise<Trials> {
  const stage = new Stage(plan);
  try {
    await stage.begin();
    const rounds: Round[] = [];
    for (const kind of plan.kinds) {
      const round = await stage.play(kind);
      rounds.push(round);
      plan.onRound?.(round, rounds.length);
    }
    return await stage.end(rounds);
  } finally {
    await stage.clear();
  }
}

class Stage {
  readonly #plan: TrialPlan;
  readonly #group: Group;
  readonly #living = new Map<string, NodeProcess>();
  readonly #ports = new Map<string, number>();
  #proxy: ClientProcess | null = null;
  #load: Load | null = null;

  constructor(plan: TrialPlan) {
    this.#plan = plan;
    this.#group = new Group({ options: { ...USUAL, ...plan.options } });
  }

  async begin(): Promise<void> {
    const group = this.#group;
    for (const id of NODES) this.#ports.set(id, await freePort());
    for (const id of NODES) await this.#join(id);
    const proxy = group.startClient('proxy', '--listen', '127.0.0.1:0', '--log-format', 'json');
    this.#proxy = proxy;
    const port = await group.until('the proxy to listen', () => {
      if (proxy.end !== null) throw new Error(`the proxy has ended: ${proxy.stderr}`);
      return Number(/"port":(\d+)/.exec(proxy.stderr)?.[1] ?? 0) || null;
    });
    await group.until('the proxy to serve', () => proxy.stderr.includes('"event":"serving"'));
    this.#load = new Load(port, this.#plan.rate, process.env);
    await this.#answeredBy(0);
  }

  /** A fault, or an order; then all is as it was before, with another primary. */
  async play(kind: Kind): Promise<Round> {
    const before = await this.#primary();
    const { epoch } = before;
    await this.#strike(kind, before);
    const next = await this.#group.until('another primary', () => {
      return [...this.#living.values()].find(
        (node) => node.end === null && node.phase === 'serving' && node.epoch > epoch,
      );
    });
    const report = await this.#answeredBy(next.epoch);
    await this.#restore();
    const rest = await this.#answeredBy(next.epoch);
    const all = sum(report, rest);
    return { ...all, kind, broken: brokenIn(kind, all.lost) };
  }

  async end(rounds: readonly Round[]): Promise<Trials> {
    const last = await this.#load?.end();
    this.#proxy?.kill('SIGTERM');
    const done = await this.#proxy?.done;
    const summary = /"event":"ended".*"reason":"([^"]*)"/.exec(done?.stderr ?? '')?.[1] ?? '';
    const [final, ...others] = [...rounds].reverse();
    const lost = last?.lost ?? [];
    const ended = final === undefined || lost.length === 0 ? rounds : [...others].reverse();
    const closing =
      final === undefined || lost.length === 0
        ? []
        : [{ ...final, broken: [...final.broken, ...brokenIn('stop', lost)] }];
    return { rounds: [...ended, ...closing], twice: this.#twice(), summary };
  }

  async clear(): Promise<void> {
    this.#load?.kill();
    const { log } = this.#plan;
    if (log !== undefined) {
      appendFileSync(log, this.#proxy?.stderr ?? '');
      appendFileSync(log, this.#group.story());
    }
    await this.#group.clear();
  }

  async #strike(kind: Kind, primary: NodeProcess): Promise<void> {
    const group = this.#group;
    switch (kind) {
      case 'crash': {
        const workload = group.sessionOf(primary.id);
        primary.kill('SIGKILL');
        for (const pid of workload) group.signal(pid, 'SIGKILL');
        return;
      }
      case 'hang': {
        const workload = group.sessionOf(primary.id);
        bringToStandstill(primary.pid);
        for (const pid of workload) bringToStandstill(pid);
        return;
      }
      case 'switchover': {
        const next = NODES.find((id) => id !== primary.id) ?? 'a';
        await this.#order('promote', next);
        return;
      }
      case 'demote':
        await this.#order('demote');
        return;
      case 'stop':
        await this.#order('stop', primary.id);
        return;
    }
  }

  async #order(...words: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#group.client(...words);
    if (code !== 0) throw new Error(`failover ${words.join(' ')} ended with ${code}: ${stderr}`);
  }

  async #primary(): Promise<NodeProcess> {
    return this.#group.primaryOf([...this.#living.values()]);
  }

  /** Those that have ended, or are about to, come back as secondaries. */
  async #restore(): Promise<void> {
    const group = this.#group;
    for (const [id, node] of this.#living) {
      const hasToEnd = node.end !== null || group.stateOf(node.pid) === 'T' || node.isDone;
      if (!hasToEnd) continue;
      await group.ends(node);
      await this.#join(id);
    }
    const others = [...this.#living.values()].filter(({ phase }) => phase !== 'serving');
    for (const node of others) await group.until(`${node.id} to stand by`, () => isReady(node));
  }

  async #join(id: string): Promise<void> {
    const port = String(this.#ports.get(id) ?? 0);
    const isWaitedFor = id !== 'b';
    const node = await this.#group.start(id, {
      run: [process.execPath, UPSTREAM, port, this.#group.path('posts.log')],
      options: {
        target: `http://127.0.0.1:${port}`,
        ...(isWaitedFor ? { 'ready-when': `tcp://127.0.0.1:${port}` } : {}),
      },
    });
    this.#living.set(id, node);
    await this.#group.until(`${id} to take part`, () => isReady(node));
  }

  /** What has ended until a request was answered in that epoch, and all that was held before has gone. */
  async #answeredBy(epoch: number): Promise<LoadReport> {
    let report: LoadReport | null = null;
    const limit = performance.now() + 60_000;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const now = await this.#load?.report();
      if (now === undefined) throw new Error('there is no load');
      report = report === null ? now : sum(report, now);
      const isCalm = now.longestMs < 250 && now.underWay < this.#plan.rate / 5;
      if (now.safe > 0 && now.epoch >= epoch && isCalm) return report;
      if (performance.now() > limit) {
        throw new Error(`nothing is answered in epoch ${String(epoch)}: ${JSON.stringify(now)}`);
      }
    }
  }

  #twice(): readonly string[] {
    const seen = new Set<string>();
    const twice = new Set<string>();
    for (const line of readFileSync(this.#group.path('posts.log'), 'utf8').trim().split('\n')) {
      const [id = ''] = line.split(' ');
      if (seen.has(id)) twice.add(id);
      seen.add(id);
    }
    return [...twice];
  }
}

/** The defaults of `failover run`, which the support of our tests makes faster. */
const USUAL = {
  'heartbeat-interval': '500ms',
  'heartbeat-timeout': '2s',
  'probe-interval': '5s',
  'probe-timeout': '500ms',
  'retry-backoff': '1s..30s',
  'stop-grace': '10s',
  'fence-grace': '5s',
  'successor-window': '2s',
};

function isReady({ phase }: NodeProcess): boolean {
  return phase === 'serving' || phase === 'watching';
}

function brokenIn(kind: Kind, lost: readonly LostRequest[]): readonly string[] {
  const isPlanned = kind !== 'crash' && kind !== 'hang';
  return lost
    .filter(({ method, how }) => isPlanned || method === 'GET' || how !== IN_FLIGHT)
    .map(({ id, method, how, tookMs }) => `${method} ${id}: ${how} after ${String(tookMs)} ms`);
}

const IN_FLIGHT = '502 unsafe-in-flight';

function sum(one: LoadReport, other: LoadReport): LoadReport {
  return {
    safe: one.safe + other.safe,
    unsafe: one.unsafe + other.unsafe,
    repeated: one.repeated + other.repeated,
    longestMs: Math.max(one.longestMs, other.longestMs),
    heldMs: Math.max(one.heldMs, other.heldMs),
    epoch: Math.max(one.epoch, other.epoch),
    lost: [...one.lost, ...other.lost],
    underWay: other.underWay,
    sent: other.sent,
  };
}
