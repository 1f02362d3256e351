// A bus whose probe may be the program's own: the answer of its function counts, not that of the RPC.
import { formatDuration } from '../config/duration.ts';
import type { Announcement } from '../core/effect.ts';
import type { Endpoints, LeaseHolder, StandbyInfo } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import type { Bus, ProbeReport } from '../runtime/ports.ts';

/**
 * Asks the primary whether it works. It does when this resolves with anything but `false`; it does not
 * when this rejects or takes longer than `probeTimeoutMs`, at which `signal` is aborted.
 */
export type ProbePrimary = (signal: AbortSignal) => Promise<boolean | Nothing>;

/** What a probe resolves with that returns nothing. */
type Nothing = ReturnType<() => void>;

export interface ProbeSource {
  /** The program's function; null: the RPC is used. */
  readonly probe: () => ProbePrimary | null;
  /** The epoch of the primary that is followed, for the report. */
  readonly epoch: () => number;
}

export class ProbedBus implements Bus {
  readonly #bus: Bus;
  readonly #source: ProbeSource;
  #holder: LeaseHolder | null = null;

  constructor(bus: Bus, source: ProbeSource) {
    this.#bus = bus;
    this.#source = source;
  }

  get endpoints(): Endpoints {
    return this.#bus.endpoints;
  }

  publish(announcement: Announcement): void {
    this.#bus.publish(announcement);
  }

  follow(holder: LeaseHolder | null): void {
    this.#holder = holder;
    this.#bus.follow(holder);
  }

  probe(probe: {
    readonly timeoutMs: number;
    readonly standby: StandbyInfo;
  }): Promise<ProbeReport> {
    const own = this.#source.probe();
    if (own === null) return this.#bus.probe(probe);
    // By this the primary knows who stands by; what it answers decides nothing here.
    this.#bus.probe(probe).catch(() => undefined);
    return this.#ask(own, probe);
  }

  requestDemotion(request: {
    readonly successor: string;
    readonly timeoutMs: number;
  }): Promise<{ readonly accepted: boolean; readonly detail: string }> {
    return this.#bus.requestDemotion(request);
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  async #ask(
    own: ProbePrimary,
    { timeoutMs, standby }: { readonly timeoutMs: number; readonly standby: StandbyInfo },
  ): Promise<ProbeReport> {
    const holder = this.#holder;
    if (holder === null) throw unanswered('no other node is followed');
    const controller = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = unanswered(`the probe took longer than ${formatDuration(timeoutMs)}`);
        controller.abort(error);
        reject(error);
      }, timeoutMs);
    });
    try {
      const answer = await Promise.race([own(controller.signal), late]);
      if (answer === false) throw unanswered(`the probe reports that ${holder.node} does not work`);
    } finally {
      clearTimeout(timer);
    }
    const epoch = this.#source.epoch();
    return { run: holder.run, epoch, role: 'primary', version: standby.version };
  }
}

function unanswered(why: string): FailoverError {
  return new FailoverError('FAILOVER_NODE_UNREACHABLE', `Cannot ask the primary: ${why}`);
}
