// What must hold, whatever was done: collects each violation once, as a sentence.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeProcess } from '../support/process-node.ts';
import type { WitnessLine } from '../support/process-witness.ts';
import type { Arena } from './arena.ts';
import { monotonicMs } from './watch.ts';

/** A removal of the whole directory: only who lived then remembers the epochs. */
interface Forgetting {
  readonly atMs: number;
  readonly knowers: readonly { readonly endedMs: number | null }[];
}

export class Judge {
  readonly violations: string[] = [];
  readonly #arena: Arena;
  readonly #forgettings: { atMs: number; nodes: readonly NodeProcess[] }[] = [];
  readonly #ends = new Map<NodeProcess, number>();
  readonly #sockets = new Map<number, Set<string>>();
  readonly #excusedTraces = new Set<NodeProcess>();
  readonly #excusedAborts = new Set<NodeProcess>();
  readonly #reported = new Set<NodeProcess>();

  #timer: NodeJS.Timeout | null = null;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Sockets are bound anew at any time, and a node may be killed right after. */
  start(): void {
    this.#timer = setInterval(() => {
      this.noteSockets();
    }, NOTE_EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** To be called right before the whole directory is removed. */
  noteForgetting(): void {
    this.#forgettings.push({ atMs: performance.now(), nodes: [...this.#arena.living] });
  }

  /** Remembers which sockets a life of a node has, also ones that it bound anew. */
  noteSockets(): void {
    for (const { supervisor, endpoints } of this.#arena.group.records()) {
      const noted = this.#sockets.get(supervisor.pid) ?? new Set();
      for (const endpoint of Object.values(endpoints)) noted.add(endpoint.slice('ipc://'.length));
      this.#sockets.set(supervisor.pid, noted);
    }
  }

  excuseTraces(node: NodeProcess): void {
    this.#excusedTraces.add(node);
  }

  /** Of one that may open nothing more: who connects to it ends it, and the manual says so. */
  excuseAborts(node: NodeProcess): void {
    this.#excusedAborts.add(node);
  }

  violate(what: string): void {
    if (!this.violations.includes(what)) this.violations.push(what);
  }

  /** Looks at everything that can be told at any time. */
  look(): void {
    const { group, told } = this.#arena;
    for (const node of group.nodes) {
      if (node.end === null || this.#ends.has(node)) continue;
      this.#ends.set(node, performance.now());
    }
    const forgettings = this.#forgettings.map(({ atMs, nodes }) => ({
      atMs,
      knowers: nodes.map((node) => ({ endedMs: this.#ends.get(node) ?? null })),
    }));
    for (const fault of faultsOfStarts(group.lines, forgettings)) this.violate(fault);
    for (const node of group.nodes) {
      if (this.#reported.has(node)) continue;
      if (!this.#excusedTraces.has(node) && /^\s+at .+:\d+:\d+/m.test(node.stray)) {
        this.#reported.add(node);
        this.violate(`${node.id} printed a stack trace: ${node.stray.slice(0, 400)}`);
      } else if (this.#excusedAborts.has(node) && isRefusedConnection(node)) {
        this.#reported.add(node);
      } else if (node.end !== null && isOwnEnd(node.end, told.has(node))) {
        this.#reported.add(node);
        const why = node.stray === '' ? (node.log.at(-1)?.reason ?? '') : node.stray.trim();
        const how = typeof node.end === 'number' ? `with exit code ${node.end}` : `by ${node.end}`;
        this.violate(`${node.id} ended by itself ${how}: ${why.slice(0, 400)}`);
      }
    }
  }

  /**
   * Socket files that are left once all nodes have ended. Those of killed nodes are excused, which could
   * not remove them: a start does, 10 s later.
   */
  leftSockets(directory: string): readonly string[] {
    const killed = this.#arena.group.nodes.filter(({ end }) => typeof end === 'string');
    const excused = new Set(killed.flatMap(({ pid }) => [...(this.#sockets.get(pid) ?? [])]));
    const unknown = killed.filter(({ pid }) => !this.#sockets.has(pid)).length;
    const left = existsSync(directory) ? readdirSync(directory) : [];
    const paths = left.map((name) => join(directory, name)).filter((path) => !excused.has(path));
    return paths.length <= 2 * unknown ? [] : paths;
  }
}

/** Whether an end is a node's own doing: nobody here sends the signals by which a program breaks down. */
export function isOwnEnd(end: number | string, wasTold: boolean): boolean {
  return typeof end === 'number' ? !wasTold : BREAKDOWNS.has(end);
}

/** Whether it ended because libzmq could not accept a connection, and for nothing else. */
export function isRefusedConnection({ end, stray }: Pick<NodeProcess, 'end' | 'stray'>): boolean {
  return end === 'SIGABRT' && /^Too many open files \(\S*ipc_listener\.cpp:\d+\)$/m.test(stray);
}

const BREAKDOWNS: ReadonlySet<string> = new Set([
  ...['SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGSYS', 'SIGTRAP'],
]);

/**
 * What is wrong with the starts: two at once, or an epoch that did not rise though somebody lived who knew
 * a higher one. Epoch 0: a hot workload whose role file was removed before it could read it.
 */
export function faultsOfStarts(
  lines: readonly WitnessLine[],
  forgettings: readonly Forgetting[],
): string[] {
  const faults: string[] = [];
  let highest = 0;
  let beforeMs = -Infinity;
  for (const { what, epoch, pid, at } of lines) {
    if (what !== 'start' && what !== 'overlap') continue;
    const atMs = monotonicMs(at);
    if (what === 'overlap') faults.push(`pid ${pid} began epoch ${epoch} while another was active`);
    const previousMs = beforeMs;
    beforeMs = atMs;
    if (epoch === 0) continue;
    if (epoch <= highest) {
      const excused = forgettings.some(
        (forgetting) =>
          // A start after it has put its own epoch on record.
          forgetting.atMs >= previousMs - SEEN_LATE_MS &&
          forgetting.atMs < atMs &&
          forgetting.knowers.every(
            ({ endedMs }) => endedMs !== null && endedMs <= atMs + SEEN_LATE_MS,
          ),
      );
      if (!excused) faults.push(`pid ${pid} began epoch ${epoch} after epoch ${highest}`);
      if (excused) highest = epoch;
    }
    highest = Math.max(highest, epoch);
  }
  return faults;
}

const NOTE_EVERY_MS = 100;

/** By how much the end of a process may be seen after it. */
const SEEN_LATE_MS = 100;
