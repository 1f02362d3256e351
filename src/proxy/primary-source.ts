// The port through which a proxy hears of the primary: who it is, and when not to trust it.

/** Where the group's primary can be reached, as one term of it. */
export interface PrimaryTerm {
  /** Null: what is proxied is no group. */
  readonly node: string | null;
  /** Null: what is proxied is no group. A later term has a higher one. */
  readonly epoch: number | null;
  /** `http://HOST:PORT` or `tcp://HOST:PORT`. */
  readonly target: string;
}

/** A node of the group, or a server, that has said where it is reached. */
export interface ReachedNode {
  /** Null: what is proxied is no group. */
  readonly node: string | null;
  /** As in a term; its command may not listen there. */
  readonly target: string;
}

/** What a proxy is told. Each call returns at once; none throws. */
export interface PrimaryListener {
  /** It serves: new requests go there. Also said again after `doubted`. */
  ready(term: PrimaryTerm): void;
  /** It is silent: new requests are held; what is under way goes on. `ready` or `lost` follows. */
  doubted(reason: string): void;
  /**
   * It is about to step down: new requests are held, and `drained` is called once, when nothing is under way to it any
   * more; not if another is ready before.
   */
  closing(drained: () => void): void;
  /**
   * It is gone: what is under way there will get no answer.
   *
   * @param epoch whose loss it is; one that is older than the present term changes nothing. Left out: the present one's
   */
  lost(reason: string, epoch?: number | null): void;
}

export interface PrimarySource {
  /**
   * Tells the listener from now on; resolves once it has told what it knows by now.
   *
   * @param onNodes called with all nodes at first, and when they may have changed
   */
  start(
    listener: PrimaryListener,
    onNodes?: (nodes: readonly ReachedNode[]) => void,
  ): Promise<void>;
  /** Tells nothing more. */
  close(): Promise<void>;
}
