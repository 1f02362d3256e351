// What can go wrong, or be asked for, as plain data: a run is a seed and a list of these.

/** Each kind of trouble, and what it is in a few words. */
export const FAULTS = {
  crash: 'SIGKILL to a supervisor; it is started again later',
  stop: 'SIGSTOP to a supervisor, and SIGCONT later',
  stall: 'an uninterruptible wait of a supervisor: signals come after it',
  starve: 'a supervisor gets little CPU',
  suspend: 'Ctrl-Z at a supervisor, and fg later, or before it has stopped',
  quit: 'SIGTERM to a supervisor; it is started again later',
  'quit-now': 'SIGTERM twice',
  'workload-crash': 'a signal ends the workload',
  'workload-exit': 'the workload exits with a code',
  'workload-complete': 'the workload exits with 0',
  'workload-stop': 'SIGSTOP to the workload',
  'slow-start': 'processes start slowly',
  'start-failure': 'processes do not start, or are never ready',
  'stop-failure': 'the workload cannot be told to stop',
  'hook-failure': 'promote and demote commands fail',
  'hook-hang': 'promote and demote commands hang',
  partition: 'a node hears nobody and nobody hears it',
  loss: 'messages are lost',
  duplicate: 'messages arrive twice',
  delay: 'messages are late and overtake each other',
  disconnect: 'the connections to a node drop',
  'disk-error': 'a node cannot claim the lease, nor give it back',
  'slow-disk': 'what a node claims is on the disk late, and only then answered',
  'lost-race': 'the epoch that a node claims is taken',
  'remove-directory': 'the state directory is removed',
  'remove-epochs': 'the records of all epochs are removed',
  'remove-nodes': 'the records of all nodes, and of what they started, are removed',
  'watch-loss': 'changes of the lease go unnoticed',
  'foreign-lock': 'a process of another program takes the lock',
  'late-answer': 'what a node ordered is answered late',
  'lost-answer': 'what a node ordered is done, and never answered',
  'clock-leap': 'the clock of a node leaps ahead, as after a suspend',
  'store-cut': 'what a node asks the lease store is lost, or done and not answered',
  'store-down': 'the lease store answers nobody',
  'store-slow': 'the lease store takes its time',
  'store-wipe': 'the lease store is started again without its data',
  'store-lag': 'a replica that lags takes the place of the lease store',
  'guard-crash': 'SIGKILL to a guard',
  freeze: 'a whole machine stands still, and goes on later',
  promote: 'a node is asked to promote',
  'promote-force': 'a node is told to promote',
  demote: 'a node is asked to demote',
  'demote-hold': 'a node is asked to demote and to stay away for a while',
  check: 'a node is asked to check the primary',
  pause: 'the group is paused, and resumed later',
  unhealthy:
    'the workload of a node runs and does not serve, and would not if it were started again',
  'check-hang': 'health checks of a node find no answer in their time',
  disable: 'the application tells a node not to take part, and later to do so',
} as const;

export type FaultKind = keyof typeof FAULTS;

export const FAULT_KINDS: readonly FaultKind[] = Object.keys(FAULTS).filter(isFaultKind);

/** Those that only a group notices which asks for the health of its workloads. */
export const HEALTH_FAULTS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'unhealthy',
  'check-hang',
]);

/** One fault of a run. */
export interface Fault {
  readonly atMs: number;
  readonly kind: FaultKind;
  /** The number of the node, from 0. */
  readonly node: number;
  /** How long it lasts; of no meaning for one that ends a process. */
  readonly forMs: number;
}

export function isFaultKind(text: string): text is FaultKind {
  return Object.hasOwn(FAULTS, text);
}
