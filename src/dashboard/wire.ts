// What a server of `--http` and `failover dashboard` say to a page, in the words that both share. Types alone.

/** The last change of primary, as measured by the one that took over. */
export interface TakeoverView {
  readonly kind: string;
  readonly from: string | null;
  readonly to: string;
  readonly epoch: number;
  readonly reason: string;
  /** Without a workload, ms; null: nobody led before. */
  readonly gapMs: number | null;
}

/** A node of `failover status --json`, as far as it is shown. */
export interface NodeView {
  readonly id: string;
  readonly role: string;
  readonly state: string;
  readonly pid: number | null;
  readonly host: string;
  readonly version: string;
  readonly epoch: number | null;
  readonly standby: string;
  readonly since: string | null;
  readonly reason: string;
  readonly priority: number;
  readonly lastHeartbeatMs: number | null;
  /** Worst event-loop delay in the last minute, ms; absent or null: the node does not tell. */
  readonly latenessMs?: number | null;
  readonly uptimeMs: number;
  readonly willing: boolean | null;
  readonly unwillingBecause: string | null;
  readonly unhealthyBecause: string | null;
  readonly workload: {
    readonly pid: number | null;
    readonly state: string;
    readonly restarts: number;
    readonly health: string | null;
  };
}

/** The status of a group, as far as it is shown. */
export interface GroupView {
  readonly v: 1;
  readonly group: string;
  readonly epoch: number;
  readonly primary: string | null;
  readonly paused: boolean;
  readonly warnings: readonly string[];
  readonly takeover: {
    readonly predictedMs: number | null;
    readonly unpredictedBecause: string | null;
    readonly lastMs: number | null;
    readonly hangMs: number | null;
    readonly last: TakeoverView | null;
  };
  readonly lease: {
    readonly kind: string;
    readonly held: boolean;
    readonly problem: string | null;
  };
  readonly succession: readonly string[];
  readonly nodes: readonly NodeView[];
}

/** A change of phase of one node. */
export interface TransitionView {
  readonly group: string;
  readonly node: string;
  /** Its life as a process; null: whoever tells it does not say. */
  readonly run: string | null;
  /** Wall clock of whoever tells it, ISO 8601. */
  readonly time: string;
  readonly from: string | null;
  /** A phase, `gone` for a process that has ended without a word, or what a server of leases has noted. */
  readonly to: string;
  readonly role: string | null;
  readonly epoch: number;
  readonly reason: string | null;
  readonly takeover: TakeoverView | null;
  /** The node itself; the server of its lease; or who watches, and sees that the node is no more. */
  readonly source: 'node' | 'server' | 'watch';
}

/** The figures that change all the time, of the nodes of one group. */
export interface PulseView {
  readonly group: string;
  readonly nodes: readonly {
    readonly id: string;
    readonly lastHeartbeatMs: number | null;
    readonly latenessMs: number | null;
    readonly uptimeMs: number;
  }[];
}

/** Why a group can not be looked at. */
export interface ProblemView {
  readonly group: string;
  readonly error: string;
  readonly code: string | null;
  readonly hint: string | null;
}

/** The names of all groups. */
export interface GroupsView {
  readonly groups: readonly string[];
}
