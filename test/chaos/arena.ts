// The group of a case while faults are played: who lives, who is active, and how all of it is put right again.
import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readStat } from '../../src/fence/process-identity.ts';
import { clockLibrary, setClock, withClock } from '../support/process-clock.ts';
import { Group } from '../support/process-group.ts';
import { markedProcesses, signal } from '../support/process-list.ts';
import type { NodeProcess } from '../support/process-node.ts';
import type { WitnessLine } from '../support/process-witness.ts';
import { shimmed } from '../support/process-shimmed.ts';
import type { CasePlan } from './plan.ts';
import { optionsOf, scriptOf } from './profile.ts';
import type { Profile } from './profile.ts';
import { Judge } from './judge.ts';
import { Watch } from './watch.ts';

type PhaseListener = (node: NodeProcess, phase: string) => void;

/** What a case needs of the machine. */
export interface ArenaOptions {
  readonly plan: CasePlan;
  /** The user of the nodes: sockets of root are in one directory for all; null: whoever runs this. */
  readonly uid: number | null;
  /** Aborted when the run is to end at once. */
  readonly signal: AbortSignal;
}

export class Arena {
  readonly plan: CasePlan;
  readonly profile: Profile;
  readonly group: Group;
  readonly watch: Watch;
  readonly judge: Judge;
  readonly uid: number | null;
  /** Nodes that were told to end, or could not but end: what becomes of them is no fault of theirs. */
  readonly told = new Set<NodeProcess>();
  hasSmallDisk = false;
  /** When a person last ended what the nodes wait for, monotonic ms. */
  obeyedAtMs = -Infinity;
  /** The file with the nodes' wall clock; null: theirs is the machine's. */
  readonly clock: string | null;
  /** What the witness had written when the directory was removed. */
  lastLines: readonly WitnessLine[] = [];
  #orphanTimer: NodeJS.Timeout | null = null;
  #orphansBefore: ReadonlySet<number> = new Set();
  #unmount: () => void = () => undefined;
  readonly #signal: AbortSignal;
  readonly #listeners = new Set<PhaseListener>();
  readonly #undo = new Set<() => Promise<void>>();

  constructor({ plan, uid, signal: aborted }: ArenaOptions) {
    this.plan = plan;
    this.profile = plan.profile;
    this.uid = uid;
    const env: NodeJS.ProcessEnv = plan.profile.clockJumps ? shimmed({ SHIM_CLOCK: 'jumps' }) : {};
    this.group = new Group({
      options: optionsOf(plan.profile),
      ...(uid === null ? {} : { asUser: uid }),
      env,
    });
    const library = plan.ownClock ? clockLibrary() : null;
    this.clock = library === null ? null : this.group.path('clock');
    if (library !== null && this.clock !== null) {
      setClock(this.clock, 0);
      // The group hands it to each node that it starts.
      Object.assign(env, withClock(library, this.clock));
    }
    this.watch = new Watch(() => this.group.lines);
    this.judge = new Judge(this);
    this.#signal = aborted;
  }

  /** The last life of each node that runs. */
  get living(): readonly NodeProcess[] {
    return this.group.nodes.filter(({ end }) => end === null);
  }

  /** The node that serves; null: none says so. */
  get primary(): NodeProcess | null {
    return this.living.find(({ phase }) => PRIMARY_PHASES.includes(phase)) ?? null;
  }

  get standbys(): readonly NodeProcess[] {
    return this.living.filter((node) => node !== this.primary);
  }

  /** From now on the witness's file, the active process and the sockets are looked at all the time. */
  start(): void {
    this.watch.start();
    this.judge.start();
    if (this.profile.orphan !== 'keep') return;
    // Kept orphans end by themselves some time, and nobody can lead before: after a second here.
    this.#orphanTimer = setInterval(() => {
      const orphans = this.#orphans();
      for (const pid of orphans) if (this.#orphansBefore.has(pid)) signal(pid, 'SIGKILL');
      this.#orphansBefore = new Set(orphans);
    }, ORPHANS_LIVE_MS);
  }

  /** Starts a node, or the next life of one. */
  launch(id: string, through: readonly string[] = []): NodeProcess {
    const node = this.group.launch(id, { run: scriptOf(this.profile), through });
    node.onLine = ({ to }) => {
      if (to !== undefined) for (const listener of this.#listeners) listener(node, to);
    };
    return node;
  }

  /** Starts those of the group that don't run, and waits until they take part. */
  async fill(): Promise<void> {
    const missing = this.#ids.filter((id) => !this.living.some((node) => node.id === id));
    const launched: NodeProcess[] = [];
    for (const id of missing) {
      const node = this.launch(id);
      launched.push(node);
      await this.until(JOIN_LIMIT_MS, () => node.end !== null || hasJoined(node));
    }
    await this.until(JOIN_LIMIT_MS, () => {
      this.obey();
      return launched.every((node) => node.end !== null || CALM_PHASES.includes(node.phase));
    });
    this.group.noteSockets();
    this.judge.noteSockets();
  }

  /** Whether the active process is there, and a living node says that it serves at that epoch. */
  isServed(): boolean {
    const { active } = this.watch;
    const primary = this.primary;
    if (active === null || primary?.phase !== 'serving') return false;
    // A hot one could not read its epoch where the role file was just removed.
    return active.epoch === 0 || active.epoch === primary.epoch;
  }

  isCalm(): boolean {
    const { living } = this;
    return (
      this.isServed() &&
      living.length === this.profile.nodes &&
      living.every(({ phase }) => CALM_PHASES.includes(phase))
    );
  }

  /** Lets time pass: the plan says how much. */
  async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#signal });
  }

  /** Waits for a condition; false when it did not come true in time. */
  async until(limitMs: number, look: () => boolean): Promise<boolean> {
    const untilMs = performance.now() + limitMs;
    while (!look()) {
      if (performance.now() > untilMs) return false;
      await this.pause(4);
    }
    return true;
  }

  /** Acts on the first node whose log says that it enters one of these phases; null: none did in time. */
  async onPhase(
    { phases, limitMs }: { readonly phases: readonly string[]; readonly limitMs: number },
    act: (node: NodeProcess) => void,
  ): Promise<NodeProcess | null> {
    let found: NodeProcess | null = null;
    // With the very line: whoever looked again and again would come too late.
    const listener: PhaseListener = (node, phase) => {
      if (found !== null || !phases.includes(phase)) return;
      found = node;
      act(node);
    };
    this.#listeners.add(listener);
    await this.until(limitMs, () => found !== null);
    this.#listeners.delete(listener);
    return found;
  }

  /** Undone when the round ends or the run breaks off, once; returns the undoing. */
  undoLater(undo: () => Promise<void> | void): () => Promise<void> {
    const once = async (): Promise<void> => {
      if (this.#undo.delete(once)) await undo();
    };
    this.#undo.add(once);
    return once;
  }

  /** Ends all that lasts: what is stopped goes on, what was filled is emptied, orphans to be kept are killed. */
  async restore(): Promise<void> {
    for (const undo of [...this.#undo]) await undo();
    for (const { pid, state } of markedProcesses(this.group.mark)) {
      if (state === 'T') signal(pid, 'SIGCONT');
    }
    // Who was killed is seen to have ended a moment later.
    await this.until(JOIN_LIMIT_MS, () => this.living.every(({ killed }) => !killed));
    if (this.profile.orphan !== 'keep') return;
    for (const pid of this.#orphans()) signal(pid, 'SIGKILL');
  }

  /**
   * Ends what the living nodes say they wait for without bound, as their words tell a person to: what holds a
   * lock file that was removed, or was left by a node whose record was. Nothing is promised before.
   */
  obey(): void {
    const named = new Set(this.living.flatMap(({ warnings }) => warnings.flatMap(pidsToEnd)));
    if (named.size === 0) return;
    const ended = this.#orphans().filter((pid) => named.has(pid));
    for (const pid of ended) signal(pid, 'SIGKILL');
    if (ended.length > 0) this.obeyedAtMs = performance.now();
  }

  /** Puts the state directory on a file system that can be filled. */
  useSmallDisk(
    mount: (directory: string, uid: number) => void,
    unmount: (directory: string) => void,
  ): void {
    mount(this.group.stateDir, this.uid ?? 0);
    this.hasSmallDisk = true;
    this.#unmount = () => {
      unmount(this.group.stateDir);
    };
  }

  /** Ends every process there is, in order or not. */
  async close({ keeps }: { readonly keeps: boolean }): Promise<void> {
    this.watch.stop();
    this.judge.stop();
    if (this.#orphanTimer !== null) clearInterval(this.#orphanTimer);
    for (const undo of [...this.#undo]) await undo().catch(() => undefined);
    this.lastLines = this.group.lines;
    if (keeps && this.hasSmallDisk) {
      cpSync(this.group.stateDir, this.group.path('state-kept'), { recursive: true });
    }
    this.#unmount();
    await this.group.clear({ keeps });
  }

  /** What has no living node above it. */
  #orphans(): readonly number[] {
    const nodes = new Set(this.living.map(({ pid }) => pid));
    const belongs = (pid: number): boolean => {
      for (let at = pid; at > 1;) {
        if (nodes.has(at) || at === process.pid) return true;
        at = readStat(at)?.parent ?? 0;
      }
      return false;
    };
    return markedProcesses(this.group.mark)
      .map(({ pid }) => pid)
      .filter((pid) => !belongs(pid));
  }

  /** A name that no node has had. */
  freshId(): string {
    return `x${randomBytes(3).toString('hex')}`;
  }

  get #ids(): readonly string[] {
    return Array.from({ length: this.profile.nodes }, (_, i) => `n${i + 1}`);
  }
}

/** A node needs a second of a free CPU to start, at most; eight of them share two busy ones here. */
const JOIN_LIMIT_MS = 60_000;

const ORPHANS_LIVE_MS = 1000;

const PRIMARY_PHASES: readonly string[] = ['serving', 'restarting', 'demoting'];

/** Where a node stays when nothing happens; one that restarts what ends by itself is calm too. */
const CALM_PHASES: readonly string[] = ['serving', 'restarting', 'watching'];

function hasJoined({ log }: NodeProcess): boolean {
  return log.some(({ event }) => event === 'joined');
}

/** Whom a warning tells a person to end: by a command, or one after the other. */
export function pidsToEnd(warning: string): readonly number[] {
  const text = /^no node starts until .* `kill (?<pids>[\d ]+)`/.exec(warning);
  const command = text?.groups?.['pids'];
  if (command !== undefined) return command.split(' ').map(Number);
  const named = warning.matchAll(/pid (\d+) \([^)]*\): [^;]*; kill it manually/g);
  return Array.from(named, ([, pid]) => Number(pid));
}
