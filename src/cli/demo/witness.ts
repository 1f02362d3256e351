// The demo's witness: what the workloads themselves report, and a lock that failover knows nothing of.
import { plural } from '../../core/counted.ts';
import { isAlive, readIdentity } from '../../fence/process-identity.ts';
import type { ProcessIdentity } from '../../lease/lease-store.ts';

/**
 * The workload. It says that it runs, then tries a lock of its own; `exec` leaves one process that holds
 * that lock until it ends.
 */
export const WITNESSED_WORKLOAD: string = [
  'echo "started $FAILOVER_EPOCH $$"',
  'exec 9>>"$DEMO_WITNESS"',
  'if command -v flock >/dev/null 2>&1; then flock -n 9 || echo "overlap $FAILOVER_EPOCH"; fi',
  'exec sleep 3600',
].join('; ');

/** One start of the workload. */
export interface Start {
  readonly node: string;
  readonly epoch: number;
  readonly pid: number;
  /** When its first line arrived, ms on the monotonic clock. */
  readonly atMs: number;
}

/** Collects what the workloads say, and holds it against what it saw itself. */
export class Witness {
  readonly starts: Start[] = [];
  readonly #running: ProcessIdentity[] = [];
  readonly #faults: string[] = [];
  #waiting: (() => void) | null = null;

  /** One line of a workload's output, in the instant it arrives. */
  hear(node: string, line: string): void {
    const atMs = performance.now();
    const [word, epochText, pidText] = line.split(' ');
    const [epoch, pid] = [Number(epochText), Number(pidText)];
    if (word === 'overlap') this.#faults.push(`epoch ${epoch} found the witness lock taken`);
    if (word !== 'started' || !Number.isInteger(epoch) || !Number.isInteger(pid)) return;
    const still = this.#running.filter(isAlive).map((process) => process.pid);
    if (still.length > 0)
      this.#faults.push(
        `${plural(still.length, 'pid')} ${still.join(', ')} ran when epoch ${epoch} started`,
      );
    const last = this.starts.at(-1)?.epoch ?? 0;
    if (epoch <= last) this.#faults.push(`epoch ${epoch} came after epoch ${last}`);
    const identity = readIdentity(pid);
    if (identity !== null) this.#running.push(identity);
    this.starts.push({ node, epoch, pid, atMs });
    this.#waiting?.();
  }

  /** What went wrong so far; empty: at no instant did two run. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** Workloads that run still. */
  get running(): readonly ProcessIdentity[] {
    return this.#running.filter(isAlive);
  }

  /** The start with this number, counted from 0; null when it does not come within `limitMs`. */
  async start(index: number, limitMs: number): Promise<Start | null> {
    if (this.starts.length <= index) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limitMs);
        this.#waiting = () => {
          if (this.starts.length <= index) return;
          clearTimeout(timer);
          resolve();
        };
      });
      this.#waiting = null;
    }
    return this.starts[index] ?? null;
  }
}
