// What tells a program whether it may write, and where else what it gets is to go.
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface LeaderProvider {
  /** Whether this node leads now. Cheap, and true only at the moment: ask right before what needs it. */
  isLeader(): boolean;
  /** The address of the leader, perhaps this node's own; null: none is known. */
  redirectTarget(): string | null;
  /** Takes a request if it is one between the nodes themselves; false: it is none. */
  handleHeartbeat?(request: IncomingMessage, response: ServerResponse): boolean;
}

/** One that was made from the environment, and is begun and ended like an election. */
export interface ManagedLeader extends LeaderProvider, AsyncDisposable {
  /** What it was made from: `inactive` leads always and asks nobody. */
  readonly kind: 'inactive' | 'static' | 'peers';
  /** Resolves once it knows whom to send writes to, or that nobody is known; never rejects. */
  start(): Promise<void>;
  close(): Promise<void>;
}
