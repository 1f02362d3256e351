// The proof that starvation is not death: busy loops on every processor at default timings, and a suspended machine.
import { markedProcesses, signal } from '../support/process-list.ts';
import type { NodeProcess } from '../support/process-node.ts';
import { Arena } from './arena.ts';
import type { Cleaner } from './cleaner.ts';
import { startLoops } from './faults/machine.ts';
import { hangBoundMs } from './profile.ts';
import type { Profile, Timings } from './profile.ts';

export interface StarveOptions {
  readonly seconds: number;
  readonly loops: number;
  readonly uid: number | null;
  readonly marginMs: number;
  readonly signal: AbortSignal;
  readonly cleaner: Pick<Cleaner, 'begin' | 'done'>;
  readonly say: (text: string) => void;
}

export interface StarveResult {
  /** What was looked at, and what was seen. */
  readonly rows: readonly (readonly [what: string, seen: string])[];
  readonly violations: readonly string[];
}

/** Those of the program itself: the ones that its users have. */
const DEFAULT_TIMINGS: Timings = {
  heartbeatIntervalMs: 500,
  heartbeatTimeoutMs: 2000,
  probeIntervalMs: 5000,
  probeTimeoutMs: 500,
  probeAttempts: 2,
  stopGraceMs: 10_000,
  fenceGraceMs: 5000,
  successorWindowMs: 2000,
  demoteTimeoutMs: 10_000,
  backoffLeastMs: 1000,
  backoffMostMs: 30_000,
};

const PROFILE: Profile = {
  nodes: 3,
  standby: 'cold',
  fence: 'kill',
  orphan: 'stop',
  workload: 'obedient',
  hookMs: null,
  clockJumps: false,
  timings: DEFAULT_TIMINGS,
};

export async function proveStarvation(options: StarveOptions): Promise<StarveResult> {
  const plan = {
    seed: 0,
    index: 0,
    profile: PROFILE,
    smallDisk: false,
    ownClock: false,
    rounds: [],
  };
  const arena = new Arena({ plan, uid: options.uid, signal: options.signal });
  options.cleaner.begin(arena.group);
  try {
    arena.start();
    await arena.fill();
    await arena.until(options.marginMs, () => arena.isCalm());
    const proof = new Proof(arena, options);
    await proof.loops();
    await proof.suspension();
    await proof.hang();
    arena.judge.look();
    return { rows: proof.rows, violations: arena.judge.violations };
  } finally {
    await arena.close({ keeps: false });
    options.cleaner.done(arena.group);
  }
}

interface Roles {
  readonly primary: NodeProcess | null;
  readonly starts: number;
}

class Proof {
  readonly rows: [what: string, seen: string][] = [];
  readonly #arena: Arena;
  readonly #options: StarveOptions;

  constructor(arena: Arena, options: StarveOptions) {
    this.#arena = arena;
    this.#options = options;
  }

  /** A primary that gets next to no time is waited for. */
  async loops(): Promise<void> {
    const { loops, seconds, say } = this.#options;
    say(`${loops} busy loops for ${seconds} s\n`);
    const before = this.#roles();
    const lateMs = this.#arena.watch.latenessMs;
    const end = startLoops(this.#arena, { loops, forMs: seconds * 1000 });
    await this.#arena.pause(seconds * 1000);
    await end();
    const ownMs = Math.round(this.#arena.watch.latenessMs - lateMs);
    this.#compare(`${loops} busy loops for ${seconds} s`, before, `harness late by ${ownMs} ms`);
  }

  /** All at once, as the lid of a laptop does: nobody may take the time that nobody had for a silence. */
  async suspension(): Promise<void> {
    const { group } = this.#arena;
    const seconds = this.#options.seconds / 2;
    this.#options.say(`all processes stopped for ${seconds} s, and continued\n`);
    const before = this.#roles();
    const pids = markedProcesses(group.mark).map(({ pid }) => pid);
    const resume = this.#arena.undoLater(() => {
      for (const pid of pids) signal(pid, 'SIGCONT');
    });
    for (const pid of pids) signal(pid, 'SIGSTOP');
    await this.#arena.pause(seconds * 1000);
    await resume();
    // As long as it would take to find the primary silent, and to act on it.
    await this.#arena.pause(hangBoundMs(DEFAULT_TIMINGS) - DEFAULT_TIMINGS.stopGraceMs);
    this.#compare(`all stopped for ${seconds} s and continued`, before, '');
  }

  /** A primary that is really stopped is replaced, also where everybody starves. */
  async hang(): Promise<void> {
    const arena = this.#arena;
    const { loops, marginMs, say } = this.#options;
    const boundMs = hangBoundMs(DEFAULT_TIMINGS);
    const old = arena.primary;
    if (old === null) {
      arena.judge.violate('no primary to stop');
      return;
    }
    say(`the primary stopped, beside ${loops} busy loops\n`);
    const end = startLoops(arena, { loops, forMs: boundMs + marginMs });
    await arena.pause(LOOPS_COME_UP_MS);
    const fromMs = performance.now();
    old.kill('SIGSTOP');
    const limitMs = boundMs + marginMs;
    const isServed = (): boolean => arena.primary !== old && arena.isServed();
    const replaced = await arena.until(limitMs, isServed);
    const tookMs = Math.round(performance.now() - fromMs);
    await end();
    old.kill('SIGCONT');
    const what = `a stopped primary beside ${loops} busy loops`;
    this.rows.push([what, `replaced after ${tookMs} ms, stated ${boundMs} ms`]);
    if (!replaced) arena.judge.violate(`${what}: not replaced within ${limitMs} ms`);
  }

  #roles(): Roles {
    return { primary: this.#arena.primary, starts: this.#arena.group.starts };
  }

  #compare(what: string, before: Roles, note: string): void {
    const now = this.#roles();
    const failovers = now.starts - before.starts;
    const same = failovers === 0 && now.primary === before.primary && now.primary !== null;
    const notes = note === '' ? '' : `, ${note}`;
    this.rows.push([what, `${failovers} false failovers${notes}`]);
    if (!same) this.#arena.judge.violate(`${what}: the primary changed`);
  }
}

const LOOPS_COME_UP_MS = 2000;
