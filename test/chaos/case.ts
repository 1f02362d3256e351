// Plays one case: starts its group, plays its rounds, and ends it in order; all that was wrong is in the result.
import { writeFileSync } from 'node:fs';
import { zombiesOf, isNoZombie, markedProcesses } from '../support/process-list.ts';
import { canMount, mountSmall, unmount } from '../support/small-disk.ts';
import { Arena } from './arena.ts';
import type { ArenaOptions } from './arena.ts';
import type { Cleaner } from './cleaner.ts';
import { Descriptors } from './descriptors.ts';
import { PERFORM } from './faults/index.ts';
import type { CasePlan, Fault, FaultKind } from './plan.ts';
import { boundMs } from './profile.ts';

export interface PlayedFault {
  readonly round: number;
  readonly kind: FaultKind;
  readonly what: string;
  readonly skipped: boolean;
  /** How long nothing was active from the fault on until the group served again, ms. */
  downMs: number;
}

export interface CaseResult {
  readonly plan: CasePlan;
  readonly faults: readonly PlayedFault[];
  readonly violations: readonly string[];
  /** From the end of a round's faults until a primary served, ms, each; and what is stated. */
  readonly recoveriesMs: readonly number[];
  readonly boundMs: number;
  /** From the loss of the active process to the next start, ms, each. */
  readonly lossesMs: readonly number[];
  readonly starts: number;
  readonly overlaps: number;
  /** How many different ones there were, and the highest. */
  readonly epochs: { readonly seen: number; readonly highest: number };
  /** Kept when something was wrong; null: removed. */
  readonly directory: string | null;
}

export interface CaseOptions extends ArenaOptions {
  readonly marginMs: number;
  readonly keep: boolean;
  readonly onFault: (fault: PlayedFault) => void;
  readonly cleaner: Pick<Cleaner, 'begin' | 'done'>;
}

export async function playCase(options: CaseOptions): Promise<CaseResult> {
  const arena = new Arena(options);
  options.cleaner.begin(arena.group);
  const game = new Game(arena, options);
  let directory: string | null = null;
  try {
    await game.play();
    await game.end();
  } catch (error) {
    if (options.signal.aborted) throw error;
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    arena.judge.violate(`the case broke off: ${message}`);
  } finally {
    const keeps = (arena.judge.violations.length > 0 || options.keep) && !options.signal.aborted;
    if (keeps) directory = keepStory(arena);
    await arena.close({ keeps });
    options.cleaner.done(arena.group);
  }
  return game.result(directory);
}

class Game {
  readonly #arena: Arena;
  readonly #options: CaseOptions;
  readonly #faults: PlayedFault[] = [];
  readonly #recoveriesMs: number[] = [];
  readonly #descriptors = new Descriptors();
  readonly #boundMs: number;

  constructor(arena: Arena, options: CaseOptions) {
    this.#arena = arena;
    this.#options = options;
    this.#boundMs = boundMs(arena.profile);
  }

  async play(): Promise<void> {
    const arena = this.#arena;
    if (arena.plan.smallDisk && canMount()) arena.useSmallDisk(mountSmall, unmount);
    arena.start();
    await this.#calm('at the start');
    if (arena.judge.violations.length > 0) return;
    this.#descriptors.note(arena);
    for (const [round, faults] of arena.plan.rounds.entries()) {
      await this.#round(round, faults);
      if (arena.judge.violations.length > 0) return;
      this.#descriptors.note(arena);
    }
  }

  /** Ends all in order and looks at what is left. */
  async end(): Promise<void> {
    const arena = this.#arena;
    const { group, judge } = arena;
    if (judge.violations.length > 0) return;
    for (const leak of this.#descriptors.leaks(arena)) judge.violate(leak);
    judge.noteSockets();
    const living = arena.living;
    const zombies = zombiesOf(living.map(({ pid }) => pid));
    for (const node of living) {
      arena.told.add(node);
      node.kill('SIGTERM');
    }
    const limitMs = this.#boundMs + this.#options.marginMs;
    if (!(await arena.until(limitMs, () => living.every(({ end }) => end !== null)))) {
      const left = living.filter(({ end }) => end === null).map(({ id }) => id);
      judge.violate(`no end within ${limitMs} ms of SIGTERM: ${left.join(', ')}`);
    }
    for (const { id, end } of living) {
      if (end !== 0) judge.violate(`${id} ended with ${String(end)} on SIGTERM`);
    }
    judge.look();
    if (!(await arena.until(limitMs, () => markedProcesses(group.mark).length === 0))) {
      const left = markedProcesses(group.mark).map(({ pid, command }) => `${pid} ${command}`);
      judge.violate(`processes left: ${left.join('; ')}`);
    }
    if (!(await arena.until(limitMs, () => zombies.every(isNoZombie)))) {
      judge.violate(`zombies left: ${zombies.join(', ')}`);
    }
    const sockets = arena.uid === null ? [] : judge.leftSockets(group.path('run/failover'));
    if (sockets.length > 0) judge.violate(`sockets left: ${sockets.join(', ')}`);
  }

  result(directory: string | null): CaseResult {
    const { plan, judge, group, watch } = this.#arena;
    const lines = directory === null ? this.#arena.lastLines : group.lines;
    // A hot workload may have found no role file to read its own from: 0.
    const epochs = new Set(lines.flatMap(({ epoch }) => (epoch === 0 ? [] : epoch)));
    return {
      plan,
      faults: this.#faults,
      violations: judge.violations,
      recoveriesMs: this.#recoveriesMs,
      boundMs: this.#boundMs,
      lossesMs: watch.lossesMs,
      starts: lines.filter(({ what }) => what === 'start' || what === 'overlap').length,
      overlaps: lines.filter(({ what }) => what === 'overlap').length,
      epochs: { seen: epochs.size, highest: Math.max(0, ...epochs) },
      directory,
    };
  }

  async #round(round: number, faults: readonly Fault[]): Promise<void> {
    const arena = this.#arena;
    const startedMs = performance.now();
    const played = await Promise.all(faults.map((fault) => this.#fault(round, fault)));
    await arena.restore();
    arena.judge.look();
    const endedMs = performance.now();
    // Those that are left have to manage; a group of which nobody is left, or one, is helped first.
    if (arena.living.length < 2) await arena.fill();
    await this.#recovered(endedMs, `after round ${round + 1}`);
    for (const fault of played) fault.downMs = arena.watch.downMs(startedMs);
    if (arena.judge.violations.length > 0) return;
    await this.#calm(`after round ${round + 1}`);
  }

  async #fault(round: number, fault: Fault): Promise<PlayedFault> {
    const arena = this.#arena;
    await arena.pause(fault.atMs);
    const what = await PERFORM[fault.kind](arena, fault);
    arena.judge.look();
    const skipped = what.startsWith('skipped');
    const played = { round: round + 1, kind: fault.kind, what, skipped, downMs: 0 };
    this.#faults.push(played);
    this.#options.onFault(played);
    return played;
  }

  /** Waits until a primary serves. */
  async #recovered(endedMs: number, when: string): Promise<void> {
    const arena = this.#arena;
    const limitMs = this.#boundMs + this.#options.marginMs;
    // What was done to files is seen at the next heartbeat: until then all looks well.
    await arena.pause(3 * arena.profile.timings.heartbeatIntervalMs);
    const servedAtOnce = arena.isServed();
    const isServed = await arena.until(limitMs, () => {
      arena.obey();
      return arena.isServed();
    });
    arena.judge.look();
    if (isServed) {
      // What holds a removed lock file is waited for without bound, until a person ends it.
      const sinceMs = Math.max(endedMs, arena.obeyedAtMs);
      const tookMs = performance.now() - sinceMs;
      this.#recoveriesMs.push(servedAtOnce ? arena.watch.downMs(sinceMs) : tookMs);
      return;
    }
    arena.judge.violate(
      `no primary ${when}: stated ${this.#boundMs} ms, waited ${limitMs} ms, ` +
        `of which this machine was ${Math.round(arena.watch.latenessMs)} ms late in all`,
    );
  }

  /** All nodes there, one serves, the others follow it. */
  async #calm(when: string): Promise<void> {
    const arena = this.#arena;
    const limitMs = 2 * this.#boundMs + this.#options.marginMs;
    const untilMs = performance.now() + limitMs;
    // One that was told to end may do so only now.
    do {
      await arena.fill();
      if (await arena.until(REFILL_EVERY_MS, () => arena.isCalm())) return;
      arena.judge.look();
    } while (performance.now() < untilMs && arena.judge.violations.length === 0);
    if (arena.judge.violations.length > 0) return;
    const phases = arena.living.map(({ id, phase }) => `${id} ${phase}`);
    arena.judge.violate(`no calm ${when} within ${limitMs} ms: ${phases.join(', ')}`);
  }
}

const REFILL_EVERY_MS = 200;

/** What a person needs to find out why. @returns the directory */
function keepStory(arena: Arena): string {
  const { group, plan } = arena;
  writeFileSync(group.path('plan.json'), JSON.stringify(plan, null, 2));
  writeFileSync(group.path('violations.txt'), `${arena.judge.violations.join('\n')}\n`);
  writeFileSync(group.path('story.txt'), group.story());
  for (const [index, { id, log, stray }] of group.nodes.entries()) {
    const lines = log.map((line) => JSON.stringify(line)).join('\n');
    writeFileSync(group.path(`node-${index}-${id}.log`), `${lines}\n${stray}`);
  }
  return group.directory;
}
