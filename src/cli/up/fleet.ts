// The groups of one process: started a few at a time, changed as a new file says, ended together.
import { join } from 'node:path';
import type { RunOptions } from '../../config/load.ts';
import { defaultStateDir } from '../../config/state-dir.ts';
import type { Role } from '../../core/state.ts';
import { shareLooks } from '../../fence/shared-look.ts';
import type { Absence } from '../../http/node-checks.ts';
import { lookAnew } from '../../lease/file/shared-lock-files.ts';
import { makePrivateDirectory } from '../../private-directory.ts';
import { ManyNodes } from '../../runtime/many-nodes.ts';
import { openStarter, placeAtStarter } from '../../starter/place.ts';
import { startElsewhere } from '../../workload/start-places.ts';
import { optimizeCode } from '../compilers.ts';
import { GroupRun } from './group-run.ts';
import type { GroupEnd, SharedParts, StopRequest } from './group-run.ts';
import { Retries } from './retries.ts';
import { Turns } from './turns.ts';

/** What a new file makes of the groups, by name. */
export interface Changes {
  readonly started: readonly string[];
  readonly stopped: readonly string[];
  readonly restarted: readonly string[];
}

/** What all groups have in common, but for what follows from how many they are. */
export interface FleetParts extends Omit<SharedParts, 'upkeepIntervalMs' | 'rehearse' | 'many'> {
  /** Told of each that has failed when it is tried again. */
  readonly onRetry?: (group: string, waitMs: number) => void;
}

export class Fleet {
  /** Resolves with the exit code of the process once every group has ended. */
  readonly ended: Promise<number>;
  /** Resolves once each of the groups that it began with takes part or could not, at the latest after a while. */
  readonly begun: Promise<void>;
  readonly #shared: FleetParts;
  readonly #runs = new Map<string, GroupRun>();
  /** Names of `#runs`; null after a change. */
  #names: readonly string[] | null = null;
  readonly #turns = new Turns(STARTS_AT_ONCE);
  #resolve: (exitCode: number) => void = () => undefined;
  #exitCode = 0;
  /** Exit codes of the groups that should run and do not. */
  readonly #failures = new Map<string, number>();
  /** Groups that have ended with another code than 0, and that nobody has told to end. */
  readonly #endedUntold = new Set<string>();
  readonly #retries = new Retries();
  /** Those whose end a change waits for. */
  readonly #ending = new Set<string>();
  /** Groups in the last file read. */
  #count = 0;
  #stop: StopRequest | null = null;
  #rehearsal: Promise<number> | null = null;
  readonly #many = new ManyNodes({
    onRush: (isRush) => {
      optimizeCode(!isRush);
    },
  });
  /** Changes that are under way, from the reading of a file on: none that has to start something yet is over. */
  #changing = 0;
  #isOver = false;

  constructor(groups: Iterable<RunOptions>, shared: FleetParts) {
    this.#shared = shared;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const all = [...groups];
    this.#prepareFor(all);
    for (const options of all) this.#start(options);
    this.begun = this.#untilBegun(all.map(({ group }) => group));
  }

  /** How many have not ended. */
  get size(): number {
    return [...this.#runs.values()].filter(({ hasEnded }) => !hasEnded).length;
  }

  /** Of all groups of the file, also of those that have ended; the same list until that changes. */
  get names(): readonly string[] {
    this.#names ??= [...this.#runs.keys()];
    return this.#names;
  }

  /** Of those that take part. */
  get roles(): readonly Role[] {
    return [...this.#runs.values()].flatMap(({ role }) => role ?? []);
  }

  /** Whether they decide when their time has come: they have one loop, so that one of them tells of all. */
  get isTurning(): boolean {
    const nodes = [...this.#runs.values()].flatMap(({ isTurning }) => isTurning ?? []);
    return nodes.length === 0 || nodes.includes(true);
  }

  /** Whether all are to end. */
  get isEnding(): boolean {
    return this.#stop !== null;
  }

  /** Why a group of the file has no node that takes part. */
  absence(name: string): Absence {
    if (this.#failures.has(name) || this.#endedUntold.has(name)) return 'failed';
    return this.#runs.get(name)?.hasEnded === true && !this.#ending.has(name)
      ? 'ended'
      : 'starting';
  }

  /** All of them, and none is started any more. */
  stop(request: StopRequest): void {
    this.#stop = request;
    this.#retries.cancelAll();
    for (const run of this.#runs.values()) if (!run.hasEnded) run.stop(request);
    this.#endWhenDone();
  }

  /** Those that could not be started or have not begun yet, and those that an error of their own has ended. */
  get notRunning(): readonly string[] {
    const isLost = ([name, run]: [string, GroupRun]): boolean =>
      this.#failures.has(name) || (!run.hasBegun && !run.hasEnded);
    return [...this.#runs].filter(isLost).map(([name]) => name);
  }

  /** Those whose end a change waits for. */
  get ending(): readonly string[] {
    return [...this.#ending];
  }

  /** What would be done. */
  differences(groups: ReadonlyMap<string, RunOptions>): Changes {
    const names = [...this.#runs.keys()];
    const changed = new Set(this.changed(groups).map(({ group }) => group));
    return {
      started: [...groups.keys()].filter((name) => !this.#runs.has(name)),
      stopped: names.filter((name) => !groups.has(name)),
      restarted: names.filter((name) => {
        // What was wrong with its command may have been mended where the file does not show it.
        const isLost = this.#failures.has(name) && !this.#retries.isWaiting(name);
        return groups.has(name) && (isLost || changed.has(name));
      }),
    };
  }

  /** Those that are not as they run now. */
  changed(groups: ReadonlyMap<string, RunOptions>): readonly RunOptions[] {
    return [...groups.values()].filter(
      (options) => !isSame(options, this.#runs.get(options.group)?.options),
    );
  }

  /**
   * Those that are gone end first: one of those that are new may be the same under another name. One that has changed
   * starts once it has ended, whatever the others do. Resolves when all that was to end has ended, and all that is
   * started takes part or could not; it waits a while for that.
   */
  change(groups: ReadonlyMap<string, RunOptions>): Promise<void> {
    return this.untilDone(() => this.#change(groups));
  }

  /**
   * Is not over before `work` is done, which may change the groups, even if the last one ends meanwhile. Once it is
   * over nothing begins: what the groups share is closed then.
   */
  async untilDone(work: () => Promise<void>): Promise<void> {
    if (this.#isOver) return;
    this.#changing += 1;
    try {
      await work();
    } finally {
      this.#changing -= 1;
      this.#endWhenDone();
    }
  }

  async #change(groups: ReadonlyMap<string, RunOptions>): Promise<void> {
    const { started, stopped, restarted } = this.differences(groups);
    const restarts = restarted.map(async (name) => {
      await this.#endOf(name, 'its settings have changed in the file');
      this.#startAnew(name, groups);
    });
    await Promise.all(
      stopped.map(async (name) => {
        await this.#endOf(name, 'it is no longer in the file');
        this.#runs.delete(name);
        this.#names = null;
        this.#failures.delete(name);
        this.#endedUntold.delete(name);
      }),
    );
    const next = started.flatMap((name) => groups.get(name) ?? []);
    if (this.#stop === null) this.#prepareFor([...groups.values()]);
    for (const { group } of next) this.#startAnew(group, groups);
    await Promise.all(restarts);
    await this.#untilBegun([...started, ...restarted]);
  }

  /**
   * Makes all directories before the first node starts: each that comes later is a change of the directory above, after
   * which every node looks anew for what was moved.
   */
  #prepareFor(groups: readonly RunOptions[]): void {
    this.#count = groups.length;
    if (groups.length > LOOKING_ALONE) {
      shareLooks();
      openStarter();
      startElsewhere(placeAtStarter);
    }
    for (const { group, stateDir } of groups) {
      try {
        makePrivateDirectory(join(stateDir ?? defaultStateDir(), group));
      } catch {
        // Its node says what is wrong with it.
      }
    }
    lookAnew();
  }

  async #endOf(name: string, reason: string): Promise<void> {
    this.#retries.forget(name);
    const run = this.#runs.get(name);
    if (run === undefined) return;
    this.#ending.add(name);
    if (!run.hasEnded) run.stop({ reason });
    await run.ended;
    this.#ending.delete(name);
    // It may have ended for an error of its own, meanwhile.
    this.#retries.forget(name);
  }

  #startAnew(name: string, groups: ReadonlyMap<string, RunOptions>): void {
    const options = groups.get(name);
    if (options !== undefined && this.#stop === null) this.#start(options);
  }

  #start(options: RunOptions): void {
    const upkeepIntervalMs = Math.max(1_000, Math.min(30_000, 30 * this.#count));
    const many = this.#count > LOOKING_ALONE ? this.#many : null;
    const { transport, prefix, listener } = this.#shared;
    const run = new GroupRun(
      options,
      { transport, prefix, listener, upkeepIntervalMs, rehearse: this.#rehearse, many },
      (work) => this.#turns.take(work),
    );
    if (!this.#runs.has(options.group)) this.#names = null;
    this.#runs.set(options.group, run);
    this.#failures.delete(options.group);
    this.#endedUntold.delete(options.group);
    this.#retries.begins(options.group);
    void run.ended.then((end) => {
      if (this.#runs.get(options.group) === run) this.#noteEnd(options, end);
      this.#endWhenDone();
    });
  }

  #noteEnd(options: RunOptions, { exitCode, why }: GroupEnd): void {
    if (why === 'in order') {
      if (this.#exitCode === 0) this.#exitCode = exitCode;
      // Nobody has told it to: its command has failed, say, and is not to be started again.
      if (exitCode !== 0 && this.#stop === null && !this.#ending.has(options.group)) {
        this.#endedUntold.add(options.group);
      }
      return;
    }
    const { group } = options;
    this.#failures.set(group, exitCode);
    if (this.#stop !== null || ONLY_MENDED_BY_HAND.has(exitCode)) return;
    const waitMs = this.#retries.plan(group, () => {
      this.#start(options);
    });
    this.#shared.onRetry?.(group, waitMs);
  }

  async #untilBegun(names: readonly string[]): Promise<void> {
    const begun = Promise.all(names.flatMap((name) => this.#runs.get(name)?.begun ?? []));
    let timer: NodeJS.Timeout | undefined;
    const isLate = new Promise((resolve) => {
      timer = setTimeout(resolve, BEGIN_LIMIT_MS);
    });
    await Promise.race([begun, isLate]);
    clearTimeout(timer);
  }

  /** One for all: it is the same process on the same file system. */
  readonly #rehearse = (play: () => Promise<number>): Promise<number> => {
    this.#rehearsal ??= play().catch((error: unknown) => {
      this.#rehearsal = null;
      throw error;
    });
    return this.#rehearsal;
  };

  #endWhenDone(): void {
    if (this.#changing > 0 || this.size > 0 || this.#retries.size > 0) return;
    this.#isOver = true;
    const [failure = 0] = this.#failures.values();
    this.#resolve(this.#exitCode === 0 ? failure : this.#exitCode);
  }
}

/** With so many or fewer each node looks at other processes, is woken and starts its command for itself. */
const LOOKING_ALONE = 8;

/** Wrong settings, a command that can't be run and one that is not there: what is tried again fails again. */
const ONLY_MENDED_BY_HAND: ReadonlySet<number> = new Set([2, 126, 127]);

/** A change waits no longer for what it has started: a server may not answer for hours. */
const BEGIN_LIMIT_MS = 5_000;

/** More of them would only wait for each other: a start is mostly work of this process. */
const STARTS_AT_ONCE = 32;

/** They are plain values, and their keys in one order. */
function isSame(a: RunOptions, b: RunOptions | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
