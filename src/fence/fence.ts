// Looks at the process that holds the lease, and ends it when it was judged dead.
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { formatDuration } from '../config/duration.ts';
import type { FenceOutcome, HolderInspection } from '../core/event.ts';
import type { FenceMode } from '../core/settings.ts';
import type { LeaseObservation } from '../core/state.ts';
import type { NodeRecord, ProcessIdentity } from '../lease/lease-store.ts';
import type { Fencing } from '../runtime/ports.ts';
import type { Answering } from './answers.ts';
import { findLeftovers } from './find-leftovers.ts';
import { clearLeftovers } from './leftovers.ts';
import type { ClearOutcome, Graces, LeftoverSources } from './leftovers.ts';
import { findLockHolders } from './lock-holders.ts';
import { identityOf, isAlive, isSameProcess, readStat } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';
import {
  activityOf,
  describeProcess,
  readCpuPressure,
  readMark,
  readSchedulingTimes,
} from './process-view.ts';
import type { SchedulingTimes } from './process-view.ts';

export interface FencingSources extends LeftoverSources {
  readonly primaryLockPath: string;
  readonly observe: () => LeaseObservation;
  /** Whether that process answers when it is asked at the address, which is looked up for each ping. */
  readonly asks: (process: ProcessIdentity, address: () => string) => Promise<Answering>;
}

export interface FenceTarget {
  readonly epoch: number;
  readonly run: string | null;
  readonly mode: FenceMode;
}

export interface FenceResult {
  readonly outcome: FenceOutcome;
  readonly detail: string;
}

/**
 * Fencing by /proc and signals, on this machine and in this pid namespace. It signals only what it has
 * proved to be of the group, never this process, and remembers the holder it looked at last: `fence`
 * ends that one or none.
 */
export class ProcessFencing implements Fencing {
  readonly #sources: FencingSources;
  #last: Sighting | null = null;
  #clearing: Clearing | null = null;

  constructor(sources: FencingSources) {
    this.#sources = sources;
  }

  inspect(): Promise<HolderInspection> {
    const cpuPressure = readCpuPressure();
    const { observation, holder } = this.#findHolder();
    if (holder === null) {
      this.#last = null;
      const none = { holder: 'none', description: 'the lease is not held' } as const;
      return Promise.resolve({ observation, ...none, process: null, sample: null, cpuPressure });
    }
    const { kind, stat } = holder;
    return Promise.resolve({
      observation,
      holder: kind,
      description: describeHolder(holder),
      process: stat === null ? null : activityOf(stat),
      sample: stat === null ? null : this.#sample(stat),
      cpuPressure,
    });
  }

  async fence(target: FenceTarget): Promise<FenceResult> {
    const { holder } = this.#findHolder();
    if (!holder?.stat) {
      return this.#refuse(target) ?? refuseUnseen(holder);
    }
    const identity = identityOf(holder.stat);
    // Judged was what the last inspection showed; who took the lease since is another matter.
    if (this.#last !== null && !isSameProcess(this.#last.identity, identity)) {
      return { outcome: 'stale', detail: `${describeHolder(holder)} now holds the lease` };
    }
    this.#last ??= sightingOf(holder.stat, performance.now());
    await this.#giveTimeToClaim(target, identity);
    const spared = await this.#spareShared(target, identity);
    const refusal = spared ?? this.#refuse(target, identity);
    if (refusal !== null) return refusal;
    const description = `${describeHolder(holder)}, ${activityOf(readStat(identity.pid))},`;
    try {
      process.kill(identity.pid, 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) {
        return { outcome: 'gone', detail: `${description} exited by itself` };
      }
      return {
        outcome: 'not-permitted',
        detail: `this user may not signal ${description}`,
      };
    }
    return this.#awaitRelease(identity, description);
  }

  /** Looks at what a clearing looks at where all is well, and does nothing about it. */
  look(): void {
    const graces = { fenceGraceMs: 0, stopGraceMs: 0 };
    findLeftovers(this.#sources, graces, { searchHolders: false });
  }

  /** A newer order ends the one that is under way, which then has the outcome of the newer. */
  clearLeftovers(limits: Graces): Promise<ClearOutcome> {
    this.#clearing?.controller?.abort();
    const controller = new AbortController();
    const outcome = this.#clear(limits, controller.signal);
    this.#clearing = { controller, outcome };
    return outcome;
  }

  async #clear(limits: Graces, signal: AbortSignal): Promise<ClearOutcome> {
    const outcome = await clearLeftovers(this.#sources, limits, signal);
    if (outcome?.type === 'cleared') this.#sources.cleared();
    const last = this.#clearing;
    if (last?.controller?.signal === signal)
      this.#clearing = { controller: null, outcome: last.outcome };
    // Only a newer one aborts.
    return outcome ?? this.#clearing?.outcome ?? { type: 'remain', detail: 'it was cancelled' };
  }

  /** Why no signal may be sent; null: it may. Looks anew: called right before the signal. */
  #refuse(target: FenceTarget, expected?: ProcessIdentity): FenceResult | null {
    const { observation, holder } = this.#findHolder();
    if (observation.epoch !== target.epoch) {
      const detail = `epoch ${String(observation.epoch)} has come after ${String(target.epoch)}`;
      return { outcome: 'stale', detail };
    }
    if (holder === null) return { outcome: 'gone', detail: 'the lease is no longer held' };
    const description = describeHolder(holder);
    if (holder.stat === null) return refuseUnseen(holder);
    if (expected !== undefined && !isSameProcess(identityOf(holder.stat), expected)) {
      return { outcome: 'stale', detail: `${description} now holds the lease` };
    }
    if (holder.pid === process.pid) {
      return { outcome: 'stale', detail: 'this process itself holds the lease' };
    }
    if (holder.kind === 'foreign') {
      return { outcome: 'foreign', detail: `${description} is not known to belong to this group` };
    }
    if (target.mode === 'none') {
      return { outcome: 'not-permitted', detail: `${description} is spared by --fence none` };
    }
    if (target.mode === 'kill-unless-stopped' && activityOf(holder.stat) === 'stopped') {
      const spared = 'is stopped and is spared by --fence kill-unless-stopped';
      const detail = `${description} ${spared}: continue it, or kill it yourself`;
      return { outcome: 'spared-stopped', detail };
    }
    return null;
  }

  /**
   * A holder other than the judged run may have taken the lease a moment ago, and is about to claim the
   * next epoch; only if it doesn't (it was stopped in between) is it what keeps everyone waiting.
   */
  async #giveTimeToClaim(target: FenceTarget, identity: ProcessIdentity): Promise<void> {
    const judged = this.#sources.listNodes().find((node) => node.run === target.run);
    if (judged !== undefined && isSameProcess(judged.supervisor, identity)) return;
    const until = (this.#last?.firstSeenMs ?? performance.now()) + CLAIM_TIME_MS;
    while (performance.now() < until && this.#refuse(target, identity) === null) {
      await pause(CLAIM_POLL_MS);
    }
  }

  /**
   * A process that has nodes of other groups too does not end for one of them while it answers: it was asked to step
   * down, and may be asked again. One that answers nothing is as hung as any.
   */
  async #spareShared(target: FenceTarget, identity: ProcessIdentity): Promise<FenceResult | null> {
    const holder = this.#nodeIn(identity);
    if (holder?.sharesProcess !== true || target.mode === 'none') return null;
    // The node may get new sockets while it is asked.
    const address = (): string => (this.#nodeIn(identity) ?? holder).endpoints.rpc;
    const answering = await this.#sources.asks(identity, address);
    if (answering === 'silent') return null;
    const what = `${describeProcess(identity.pid)} also runs nodes of other groups`;
    const detail =
      answering === 'answered'
        ? `${what} and answers: it is not killed for one of them`
        : `${what}, and whether it answers cannot be determined from here: retrying later`;
    return { outcome: 'not-permitted', detail };
  }

  #nodeIn(identity: ProcessIdentity): NodeRecord | undefined {
    const nodes = this.#sources
      .listNodes()
      .filter(({ supervisor }) => isSameProcess(supervisor, identity));
    // The latest: an ended run of a process that goes on may have left its record.
    return nodes.sort((a, b) => b.startedAtMonotonicMs - a.startedAtMonotonicMs)[0];
  }

  async #awaitRelease(identity: ProcessIdentity, description: string): Promise<FenceResult> {
    const startedMs = performance.now();
    // Held by another by now: as good as free. It closes its files before it is a zombie.
    while (this.#sources.observe().held && isAlive(identity)) {
      if (performance.now() - startedMs > RELEASE_WAIT_MS) {
        const wait = formatDuration(RELEASE_WAIT_MS);
        const detail = `${description} was sent SIGKILL but still holds the lease after ${wait}`;
        return { outcome: 'not-released', detail };
      }
      await pause(RELEASE_POLL_MS);
    }
    return { outcome: 'killed', detail: `${description} was killed` };
  }

  #findHolder(): { readonly observation: LeaseObservation; readonly holder: Holder | null } {
    let observation = this.#sources.observe();
    for (let look = 1; observation.held; look += 1) {
      const holder = this.#seeHolder(observation);
      // Held, and nobody to be seen who does: released in between, or another user's.
      if (holder.stat !== null || look === LOOKS) return { observation, holder };
      observation = this.#sources.observe();
    }
    return { observation, holder: null };
  }

  #seeHolder(observation: LeaseObservation): Holder {
    const { primaryLockPath, listNodes } = this.#sources;
    const nodes = listNodes();
    const recorded = nodes.find((node) => node.run === observation.holder?.run);
    // The recorded one first: looking at all processes costs milliseconds.
    const likely = [recorded?.supervisor.pid, this.#last?.identity.pid].filter(
      (pid) => pid !== undefined,
    );
    let [found] = likely.length > 0 ? findLockHolders(primaryLockPath, likely) : [];
    found ??= findLockHolders(primaryLockPath)[0];
    const stat = found === undefined ? null : readStat(found.pid);
    if (stat === null) {
      const alive = recorded !== undefined && isAlive(recorded.supervisor);
      return {
        kind: alive ? 'ours' : 'foreign',
        pid: alive ? recorded.supervisor.pid : null,
        stat,
      };
    }
    const identity = identityOf(stat);
    const isOurs =
      nodes.some((node) => isSameProcess(node.supervisor, identity)) ||
      readMark(stat.pid, this.#sources) !== null;
    return { kind: isOurs ? 'ours' : 'foreign', pid: stat.pid, stat };
  }

  #sample(stat: ProcessStat): HolderInspection['sample'] {
    const previous = this.#last;
    const now = sightingOf(stat, performance.now());
    const isSame = previous !== null && isSameProcess(previous.identity, now.identity);
    this.#last = isSame ? { ...now, firstSeenMs: previous.firstSeenMs } : now;
    if (!isSame || previous.times === null || now.times === null) return null;
    return {
      overMs: now.seenMs - previous.seenMs,
      onCpuMs: now.times.onCpuMs - previous.times.onCpuMs,
      waitingMs: now.times.waitingMs - previous.times.waitingMs,
    };
  }
}

/** The process that has the lease; `stat` null: its descriptors cannot be read, `pid` is then the recorded one. */
interface Holder {
  readonly kind: 'ours' | 'foreign';
  readonly pid: number | null;
  readonly stat: ProcessStat | null;
}

interface Sighting {
  readonly identity: ProcessIdentity;
  readonly firstSeenMs: number;
  readonly seenMs: number;
  readonly times: SchedulingTimes | null;
}

/** An emptying that is under way, or was the last. */
interface Clearing {
  /** Aborts what is under way; null: it is done. */
  readonly controller: AbortController | null;
  readonly outcome: Promise<ClearOutcome>;
}

/** How often to look when the lease is held and no holder is seen. */
const LOOKS = 3;

/** Far longer than the step from the lock to the epoch takes on a busy machine. */
const CLAIM_TIME_MS = 250;
const CLAIM_POLL_MS = 10;

/** How long a killed process may take to close its files; seconds only in an uninterruptible wait. */
const RELEASE_WAIT_MS = 2000;
const RELEASE_POLL_MS = 1;

function sightingOf(stat: ProcessStat, nowMs: number): Sighting {
  const times = readSchedulingTimes(stat.pid);
  return { identity: identityOf(stat), firstSeenMs: nowMs, seenMs: nowMs, times };
}

function describeHolder(holder: Holder): string {
  if (holder.stat !== null) return describeProcess(holder.stat.pid);
  return holder.pid === null
    ? 'a process that this user cannot inspect'
    : `${describeProcess(holder.pid)}, as its record says,`;
}

function refuseUnseen(holder: Holder | null): FenceResult {
  if (holder === null) return { outcome: 'gone', detail: 'the lease is no longer held' };
  const detail = `${describeHolder(holder)} holds the lease: it belongs to another user or namespace`;
  return { outcome: 'not-permitted', detail };
}
