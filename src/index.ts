// The library: what a program may import from `failover-cli`.
export { ERRORS, EXIT_CODES, FailoverError, isErrorCode } from './errors.ts';
export type { ErrorCode, ExitCodeEntry, FailoverErrorOptions } from './errors.ts';

export { Watcher } from './library/watcher.ts';
export type { RoleChange, WatcherEvents } from './library/watcher.ts';
export type { WatcherOptions } from './library/watcher-options.ts';
export type { DemoteCallback, PromoteCallback } from './library/callback-workload.ts';
export type { ProbePrimary } from './library/probed-bus.ts';

export { RedisLease } from './library/redis-lease.ts';
export type { LeaseLoss, LeaseTerm, LeaseView } from './library/redis-lease.ts';
export type { RedisLeaseOptions } from './library/election-options.ts';
export { runElection } from './library/run-election.ts';
export type { ElectionOptions } from './library/run-election.ts';
export type { Election, ElectionChange, ElectionEvents, ElectionRole } from './library/election.ts';
export type { ElectionStrategy } from './library/claim-turn.ts';
export type { StartCallback, StopCallback } from './library/elected-term.ts';
export { formatStatistics, formatStatisticsHtml } from './library/statistics-text.ts';
export type { ElectionEvent, ElectionNode, ElectionStatistics } from './library/statistics.ts';

export { PeersElection } from './library/peers-election.ts';
export type {
  LeaderChange,
  PeersElectionEvents,
  PeersElectionOptions,
  PeersElectionStatus,
} from './library/peers-election.ts';
export { StaticLeader } from './library/static-leader.ts';
export type { StaticLeaderOptions } from './library/static-leader.ts';
export { leaderFromEnvironment } from './library/leader-from-environment.ts';
export type { LeaderOptions } from './library/leader-from-environment.ts';
export { leaderMiddleware } from './library/leader-middleware.ts';
export type { LeaderMiddleware } from './library/leader-middleware.ts';
export { leaderFetchMiddleware } from './library/leader-fetch-middleware.ts';
export type { LeaderFetchMiddleware } from './library/leader-fetch-middleware.ts';
export type { LeaderMiddlewareOptions } from './library/leader-decision.ts';
export type { LeaderProvider, ManagedLeader } from './library/leader-provider.ts';
export type { PeerCounters } from './peers/peer-counters.ts';
export type { SeenPeer } from './peers/peer-node.ts';

export { HealthMonitor } from './health/monitor.ts';
export type { TargetHealth } from './health/monitor.ts';
export type { HealthCheck, HealthMonitorOptions } from './health/monitor-options.ts';
export { StateTracker } from './health/tracker.ts';
export type { HealthCounts, StateTrackerOptions } from './health/tracker.ts';
export { HttpChecker } from './health/http-checker.ts';
export type { HttpCheckerOptions } from './health/http-checker.ts';
export { checkAddress, checkByCommand } from './health/single-checks.ts';
export type { CommandCheckOptions, SingleCheckOptions } from './health/single-checks.ts';
export type {
  CheckResult,
  Fault,
  FaultReason,
  HealthyResult,
  UnhealthyResult,
} from './health/check-result.ts';
export type { AddressParts, HealthAddress, HealthTarget } from './health/health-target.ts';
export type { RetriedResult, RetryNotice, RetryOptions, RetryTerms } from './health/retry.ts';
export type { Thresholds } from './core/hysteresis.ts';
export { UpstreamList } from './upstream/upstream-list.ts';
export type { UpstreamStatus } from './upstream/upstream-list.ts';
export type { UpstreamListOptions } from './upstream/upstream-options.ts';
export type { UpstreamCheck } from './upstream/check-queue.ts';
export type { ScoreLimits } from './upstream/score.ts';
export { LATENCY_TIERS_MS } from './upstream/balancing.ts';

export { FailoverNode } from './runtime/failover-node.ts';
export { startNode } from './library/start-node.ts';
export type { NodeEvents, NodeTransition } from './runtime/narrator.ts';
export type { FailoverNodeExtras, WorkloadParts } from './runtime/node-extras.ts';
export type { NodeSetup } from './runtime/node-setup.ts';
export type { JournalReport } from './journal/node-journal.ts';
export type { Activation, NodeStatus, TakeoverPrediction } from './runtime/node-status.ts';
export type { RunOptions } from './config/load.ts';
export type { GivenRunOptions } from './config/run-options.ts';

export { Transport } from './transport/bus.ts';
export type { SocketCheck, TransportOptions } from './transport/bus.ts';
export type { NodeTransport } from './transport/node-transport.ts';
export type { GroupOptions } from './transport/group-bus.ts';
export type { TransportCounters } from './transport/counters.ts';
export type {
  Bus,
  BusEvent,
  HookResult,
  LockDescription,
  NodeWorkload,
  ProbeReport,
  Term,
  Workload,
  WorkloadDescription,
  WorkloadLock,
} from './runtime/ports.ts';
export type { SessionRecord } from './lease/lease-store.ts';

export type { Announcement } from './core/effect.ts';
export type { Evidence } from './core/evidence.ts';
export type { Explanation } from './core/explanation.ts';
export type { Pending } from './core/pending.ts';
export type { CoreReport, TakeoverBounds } from './core/report.ts';
export type { FenceMode, Settings, Standby } from './core/settings.ts';
export type {
  Endpoints,
  LeaseHolder,
  NodeState,
  Phase,
  Role,
  StandbyInfo,
  StopOrder,
  Takeover,
} from './core/state.ts';
