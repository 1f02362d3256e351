// What a node looks after at intervals, whatever it decides: its sockets, old records, its own readiness.
import type { Endpoints, Role } from '../core/state.ts';
import { messageOf } from '../error-message.ts';
import type { NodeTransport } from '../transport/node-transport.ts';

export interface UpkeepParts {
  /** Undefined: once a second. */
  readonly intervalMs: number | undefined;
  readonly transport: NodeTransport;
  readonly role: () => Role;
  /** Makes other addresses known; called when the sockets have moved. */
  readonly updateEndpoints: (endpoints: Endpoints) => void;
  /** Forgets nodes that ended, and ends what they left. */
  readonly tidy: () => void;
  /** When the group's directory had to be made anew, monotonic, ms; null: never. */
  readonly removedAtMs: () => number | null;
  /** What to say of that; null: nothing, or no longer. */
  readonly removalWarning: () => string | null;
  /** Looks at what a takeover would look at. */
  readonly look: () => void;
  /** Forgets sessions of this node's own that have ended; nothing to do where none has. */
  readonly forgetEmptySessions: () => unknown;
  /** What a person should know of the other nodes, once each. */
  readonly troubles: () => readonly string[];
  readonly warn: (message: string) => void;
}

const INTERVAL_MS = 1_000;

/**
 * How often a standby looks at all processes, ms: a takeover then has to look closely only at
 * those that came since, and runs code that is still at hand. Of a thousand that share what they see each need not look
 * so often.
 */
const LOOK_EVERY_MS = 30_000;

export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #timer: NodeJS.Timeout;
  #announced: Endpoints;
  readonly #toldTroubles = new Set<string>();
  #toldRemovalAtMs: number | null = null;
  readonly #roundsALook: number;
  #rounds = 0;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#announced = parts.transport.endpoints;
    const intervalMs = parts.intervalMs ?? INTERVAL_MS;
    this.#roundsALook = Math.max(2, Math.ceil(LOOK_EVERY_MS / intervalMs));
    this.#timer = setInterval(() => {
      this.#lookAfter();
    }, intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #lookAfter(): void {
    const { transport, role, tidy, look, warn } = this.#parts;
    this.#rounds += 1;
    const check = transport.checkSockets();
    if (check.type === 'failed') warn(`no node can reach this node: ${check.error.message}`);
    this.#announceMove();
    this.#tellRemoval();
    this.#tellTroubles();
    this.#forgetEmptySessions();
    try {
      if (role() === 'primary') tidy();
      else if (this.#rounds % this.#roundsALook === 0) look();
    } catch (error) {
      warn(`records of other nodes could not be read: ${messageOf(error)}`);
    }
  }

  /** In all roles: the number of a session that is on record though it is over may become a stranger's. */
  #forgetEmptySessions(): void {
    try {
      this.#parts.forgetEmptySessions();
    } catch {
      // Nothing to look with: at the next round.
    }
  }

  /** After the sockets were bound anew, by this node or another one that shares them. */
  #announceMove(): void {
    const { transport, updateEndpoints, warn } = this.#parts;
    const { endpoints } = transport;
    if (endpoints === this.#announced) return;
    this.#announced = endpoints;
    warn(`the socket directory was removed; listening at ${endpoints.rpc} now`);
    try {
      updateEndpoints(endpoints);
    } catch (error) {
      warn(`the new addresses could not be written: ${messageOf(error)}`);
    }
  }

  /** Each once: how often it happens the counters tell. */
  #tellTroubles(): void {
    const { transport, troubles } = this.#parts;
    for (const trouble of [...(transport.troubles?.() ?? []), ...troubles()]) {
      if (this.#toldTroubles.has(trouble)) continue;
      this.#toldTroubles.add(trouble);
      this.#parts.warn(trouble);
    }
  }

  /** Once for each time. */
  #tellRemoval(): void {
    const { removedAtMs, removalWarning, warn } = this.#parts;
    const removal = removalWarning();
    const atMs = removedAtMs();
    if (removal === null || atMs === this.#toldRemovalAtMs) return;
    this.#toldRemovalAtMs = atMs;
    warn(removal);
  }
}
