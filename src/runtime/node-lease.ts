// What decides for a node, as it was told: files of this machine, or a server, and then with a guard.
import { dirname } from 'node:path';
import { timingOf } from '../config/lease-timing.ts';
import { endsByItself, parseLease } from '../config/lease-url.ts';
import type { PeersAddress, StoreAddress } from '../config/lease-url.ts';
import type { RunOptions } from '../config/load.ts';
import { defaultStateDir } from '../config/state-dir.ts';
import { claimAheadMs, guardTickMs, longestGraceMs } from '../core/lease-term.ts';
import type { Settings } from '../core/settings.ts';
import type { Endpoints } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import { stateOfProcess } from '../fence/process-identity.ts';
import type { GuardKeeper } from '../guard/keeper.ts';
import { FileLease } from '../lease/file/file-lease.ts';
import type { LeaseTurn } from '../lease/file/file-lease.ts';
import { LocalGroup } from '../lease/file/local-group.ts';
import type { LocalGroupOptions } from '../lease/file/local-group.ts';
import type { SoleNode } from '../lease/join-alone.ts';
import type { OwnFiles } from '../lease/peers/open-peers.ts';
import { StaticLease } from '../lease/static-lease.ts';
import type { LeaseStore, NodeRecord } from '../lease/lease-store.ts';
import type { RemoteStore, RemoteStoreOptions } from '../lease/remote-store.ts';
import { systemClock } from './clock.ts';
import type { Clock } from './ports.ts';

interface NodeLease {
  readonly local: LocalGroup;
  readonly lease: LeaseStore;
  /** The server alone; null: there is none. */
  readonly remote: RemoteStore | null;
  readonly clock: Clock;
  /** The guards of the node; null: the kernel frees the lease, and nothing has to end before. */
  readonly keeper: GuardKeeper | null;
  /** Connects to the server, if there is one. @throws FAILOVER_STORE_REFUSED */
  begin(): Promise<void>;
}

interface NodeLeaseParts {
  readonly settings: Settings;
  readonly record: Omit<NodeRecord, 'v' | 'sessions'>;
  /** Where nodes of other machines reach it; null: they don't. */
  readonly remoteEndpoints: Endpoints | null;
  /** Whether the system can end a process with its parent. */
  readonly deathSignal: boolean;
  /** Nobody ends the workload in time any more. */
  readonly onGuardLost: (cause: string) => void;
  /** Something is not in order, and the node goes on. */
  readonly warn: (message: string) => void;
  /** Its id may be another's: what for it waits; the signal ends the wait. */
  readonly onIdWait: (fact: string) => AbortSignal | null;
  /** For what the file lease waits before each attempt; undefined: for nothing. */
  readonly turn: LeaseTurn | undefined;
  /** Called when the id is that of another node, which lives. */
  readonly onIdTaken: (error: FailoverError) => void;
}

/** Opens what decides. @throws all that `LocalGroup` throws */
export type OpenNodeLease = (parts: NodeLeaseParts) => NodeLease;

/**
 * Loads what it takes; a node with the file lease loads nothing more.
 *
 * @param isGuarded whether what it starts are processes, which another process can end
 * @throws FAILOVER_CLIENT_MISSING, FAILOVER_SETTINGS_CONFLICT
 */
export async function leaseOpener(options: RunOptions, isGuarded: boolean): Promise<OpenNodeLease> {
  const address = parseLease(options.lease);
  if (endsByItself(address) && !isGuarded) {
    throw new FailoverError(
      'FAILOVER_SETTINGS_CONFLICT',
      `Cannot run: nothing stops a callback in time when its lease ${address.shown} expires`,
      { hint: 'Use the lease `file`, or run a command with `failover run`.' },
    );
  }
  const stateDir = options.stateDir ?? defaultStateDir();
  if (endsByItself(address)) return remoteOpener(options, address, stateDir);
  return ({ record, turn }) => {
    const files = FileLease.open({ stateDir, record }, turn);
    const lease = address.kind === 'static' ? new StaticLease(address.node, record, files) : files;
    const begin = (): Promise<void> => Promise.resolve();
    const opened = { local: files.local, lease, remote: null, clock: systemClock, keeper: null };
    return { ...opened, begin };
  };
}

async function remoteOpener(
  options: RunOptions,
  address: StoreAddress | PeersAddress,
  stateDir: string,
): Promise<OpenNodeLease> {
  const [{ AnchoredLease }, { GuardKeeper }, { BootClock }] = await Promise.all([
    import('../lease/anchored-lease.ts'),
    import('../guard/keeper.ts'),
    import('./boot-clock.ts'),
  ]);
  const { leaseTtlMs, leaseRequestTimeoutMs } = timingOf(options);
  const clock = new BootClock();
  const openStore: (options: RemoteStoreOptions, own: OwnFiles) => RemoteStore =
    address.kind === 'peers'
      ? (await import('../lease/peers/open-peers.ts')).peersOpener(options, clock)
      : await loadStore(address, leaseRequestTimeoutMs);
  return ({ settings, record, remoteEndpoints, deathSignal, onGuardLost, warn, ...onId }) => {
    const local = openOwn({ stateDir, record });
    const now = (): number => clock.now();
    const times = {
      ...{ ttlMs: leaseTtlMs, requestTimeoutMs: leaseRequestTimeoutMs, now },
      claimAheadMs: claimAheadMs(settings),
    };
    const { group } = options;
    const quietMs = Math.max(leaseTtlMs, 2 * settings.heartbeatIntervalMs);
    const shown = { ...record, endpoints: remoteEndpoints ?? record.endpoints, quietMs };
    const sole: SoleNode = {
      isGiven: options.node !== null,
      quietMs,
      lookAt: (supervisor) => (supervisor === null ? 'unknown' : stateOfProcess(supervisor)),
      onWait: onId.onIdWait,
      onTaken: onId.onIdTaken,
    };
    const remote = openStore(
      { group, record: shown, sole, ...times },
      { paths: local.paths, keepEpoch: (epoch) => local.foundation.keepEpoch(epoch) },
    );
    const keeper = new GuardKeeper({
      ledger: local,
      starter: { group, stateDir: dirname(local.paths.directory), node: record.node },
      // What is killed when its supervisor dies is killed by the guard.
      stopGraceMs: options.orphan === 'kill' ? 0 : settings.stopGraceMs,
      demotion: {
        timeoutMs: settings.demoteTimeoutMs,
        // As much as a lost lease leaves: what runs needs it to end in order.
        spareMs: Math.min(settings.stopGraceMs, longestGraceMs(settings)),
        lockFile: local.paths.workloadLock,
      },
      patienceMs: guardTickMs(leaseTtlMs),
      startLimitMs: GUARD_START_LIMIT_MS,
      deathSignal,
      now,
      returnOrder: () => remote.returnOrder(),
      onLost: onGuardLost,
    });
    const lease = new AnchoredLease({ local, remote, keeper, warn });
    return { local, lease, remote, clock, keeper, begin: () => remote.begin() };
  };
}

/** What is of this machine alone is nothing for a directory of several. */
function openOwn({ stateDir, record }: Pick<LocalGroupOptions, 'stateDir' | 'record'>): LocalGroup {
  try {
    return new LocalGroup({ stateDir, record, notesEpochs: false });
  } catch (error) {
    const isElsewhere =
      error instanceof FailoverError && error.code === 'FAILOVER_FILE_SYSTEM_NOT_LOCAL';
    if (!isElsewhere) throw error;
    const hint =
      'Point --state-dir at a directory of this machine only, and pass the shared directory as --lease file:/DIRECTORY.';
    throw new FailoverError(error.code, error.message, { cause: error, hint });
  }
}

type OpenStore = (options: RemoteStoreOptions) => RemoteStore;

/** Loads the client of a store, and nothing of the others. @throws FAILOVER_CLIENT_MISSING */
export async function loadStore(
  address: StoreAddress,
  requestTimeoutMs: number,
): Promise<OpenStore> {
  switch (address.kind) {
    case 'redis': {
      const { connectionsTo } = await import('../lease/redis/redis-client.ts');
      const open = await connectionsTo(address, requestTimeoutMs);
      const { redisLease } = await import('../lease/redis/redis-lease.ts');
      return (options) => redisLease({ address, ...options }, open);
    }
    case 'etcd': {
      const { connectionsTo } = await import('../lease/etcd/etcd-client.ts');
      const open = await connectionsTo(address);
      const { EtcdLease } = await import('../lease/etcd/etcd-lease.ts');
      return (options) => new EtcdLease({ address, ...options }, open);
    }
    case 'postgres': {
      const { connectionsTo } = await import('../lease/postgres/postgres-client.ts');
      const open = await connectionsTo(address);
      const { postgresLease } = await import('../lease/postgres/postgres-lease.ts');
      return (options) => postgresLease({ address, ...options }, open);
    }
    case 'timed-file': {
      const { timedFileLease } = await import('../lease/timed-file/timed-file-lease.ts');
      return (options) => timedFileLease({ address, ...options });
    }
  }
}

/** A hundred times what a guard takes to start. */
const GUARD_START_LIMIT_MS = 10_000;
