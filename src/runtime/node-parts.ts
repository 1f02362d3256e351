// Builds the adapters of one node from its options, and connects them to its loop.
import { BUSY_PHASES } from './many-nodes.ts';
import type { ManyNodes } from './many-nodes.ts';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { RunOptions } from '../config/load.ts';
import { parseHealthCheck } from '../config/health-check.ts';
import { parseReadyWhen } from '../config/ready-when.ts';
import type { EventBody } from '../core/event.ts';
import type { Settings } from '../core/settings.ts';
import type { Endpoints, NodeState, Phase } from '../core/state.ts';
import { ProcessFencing } from '../fence/fence.ts';
import type { FencingSources } from '../fence/fence.ts';
import { endsOwnNamespace } from '../fence/pid-namespaces.ts';
import { ownIdentity } from '../fence/process-identity.ts';
import { endRunHelpers } from '../fence/run-helpers.ts';
import type { GuardKeeper } from '../guard/keeper.ts';
import { NodeJournal } from '../journal/node-journal.ts';
import { roleFilePath } from '../lease/file/group-paths.ts';
import type { GroupPaths } from '../lease/file/group-paths.ts';
import type { LocalGroup } from '../lease/file/local-group.ts';
import type { LeaseStore, NodeRecord } from '../lease/lease-store.ts';
import { NodeChecks } from '../health/node-checks.ts';
import { nodeEnvironment, termEnvironment } from '../workload/environment.ts';
import type { GateMessage, NodeContext as WorkloadContext } from '../workload/environment.ts';
import type { OutputTargets } from '../workload/output.ts';
import { createWorkload } from '../workload/create-workload.ts';
import { monotonicNow } from './clock.ts';
import type { NodeWorkload } from './ports.ts';

/** What a node says of itself in its directory. */
export function nodeRecordOf(node: {
  readonly settings: Settings;
  readonly group: string;
  readonly endpoints: Endpoints;
  readonly startedAt: string;
  readonly target: string | null;
  readonly sharesProcess: boolean;
}): Omit<NodeRecord, 'v' | 'sessions'> {
  const { nodeId, run, version, standby, priority } = node.settings;
  return {
    node: nodeId,
    run,
    group: node.group,
    version,
    host: hostname(),
    supervisor: ownIdentity(),
    endsNamespace: endsOwnNamespace(),
    ...(node.sharesProcess ? { sharesProcess: true } : {}),
    endpoints: node.endpoints,
    ...(node.target === null ? {} : { target: node.target }),
    standby,
    priority,
    startedAt: node.startedAt,
    startedAtMonotonicMs: monotonicNow(),
  };
}

/** Where a node writes down what it decides. */
export function buildJournal(
  record: ReturnType<typeof nodeRecordOf>,
  node: {
    readonly settings: Settings;
    readonly paths: GroupPaths;
    readonly phase: () => Phase;
    /** What a process with many nodes shares; null: it has few. */
    readonly many: ManyNodes | null;
  },
): NodeJournal {
  const { settings, paths, phase, many } = node;
  const { group, node: id, run, version, host, startedAt } = record;
  return new NodeJournal({
    directory: paths.journal,
    nodesDirectory: paths.nodes,
    about: { group, node: id, run, version, host, pid: process.pid, startedAt, settings },
    isBusy: () => many?.isBusy ?? BUSY_PHASES.has(phase()),
    ...(many === null ? {} : { context: CONTEXT_OF_MANY }),
  });
}

/** Some heartbeats: a thousand nodes that keep three times as many have 15 MB more. */
const CONTEXT_OF_MANY = 8;

/** What the adapters of one node share. */
export interface NodeContext {
  readonly options: RunOptions;
  readonly settings: Settings;
  readonly local: LocalGroup;
  readonly lease: LeaseStore;
  readonly keeper: GuardKeeper | null;
  readonly asks: FencingSources['asks'];
  /** Where the output of the command and its hooks goes; null: it is inherited. */
  readonly output: OutputTargets | null;
  readonly dispatch: (event: EventBody) => void;
  readonly warn: (message: string) => void;
}

export function buildFencing(
  { options, settings, local, lease, asks }: NodeContext,
  workload: () => NodeWorkload,
): ProcessFencing {
  const { paths, workloadLock } = local;
  return new ProcessFencing({
    group: options.group,
    stateDir: dirname(paths.directory),
    run: settings.run,
    roleFile: roleFilePath(paths, settings.run),
    primaryLockPath: paths.primaryLock,
    workloadLockPath: paths.workloadLock,
    displacedLockPaths: () => workloadLock.displacedPaths(),
    isWorkloadLockFree: () => workloadLock.isFree(),
    listNodes: () => local.listNodes(),
    missesRecordIn: (nodes) => lease.missesRecordIn(nodes),
    isKept: (node) => local.isKept(node),
    unseenRemains: (nodes) => local.unseenRemains(nodes),
    cleared: () => {
      lease.cleared();
    },
    ownEndedSessions: () => workload().ownEndedSessions(),
    observe: () => lease.observe(),
    asks,
  });
}

/** What is asked about the health of this node. */
export function buildHealthChecks(
  { options, settings, local }: NodeContext,
  state: () => NodeState,
  deathSignal: boolean,
): NodeChecks {
  const { health, standbyHealth } = options;
  return new NodeChecks({
    checks: {
      workload: health === null ? null : parseHealthCheck(health),
      standby: standbyHealth === null ? null : parseHealthCheck(standbyHealth, '--standby-health'),
    },
    environment: () => ({
      ...nodeEnvironment(contextOf({ options, settings, local }), null),
      ...termEnvironment(roleMessage(state())),
    }),
    deathSignal,
  });
}

/** What this node is at the moment, for a command that is asked about it. */
function roleMessage(state: NodeState): GateMessage {
  const role = state.role === 'primary' ? 'primary' : 'secondary';
  const epoch = 'epoch' in state ? String(state.epoch) : '';
  return { role, epoch, previous: '', reason: 'health' };
}

function contextOf({
  options,
  settings,
  local,
}: Pick<NodeContext, 'options' | 'settings' | 'local'>): WorkloadContext {
  return {
    group: options.group,
    node: settings.nodeId,
    stateDir: dirname(local.paths.directory),
    roleFile: roleFilePath(local.paths, settings.run),
  };
}

/** The command under supervision; `deathSignal`: whether the system can end it with its supervisor. */
export function buildWorkload(
  { options, settings, local, lease, keeper, output, dispatch, warn }: NodeContext,
  fencing: () => ProcessFencing,
  deathSignal: boolean,
): NodeWorkload {
  return createWorkload(options.standby, {
    command: options.command,
    orphan: options.orphan,
    promoteCommand: options.promoteCommand,
    demoteCommand: options.demoteCommand,
    promoteSignal: options.promoteSignal,
    demoteSignal: options.demoteSignal,
    readyWhen: options.readyWhen === null ? null : parseReadyWhen(options.readyWhen),
    context: contextOf({ options, settings, local }),
    deathSignal,
    output,
    lock: local.workloadLock,
    ...(keeper === null
      ? { ledger: local }
      : {
          ledger: keeper,
          spawn: keeper.spawn,
          startAhead: keeper.startAhead,
          noteDemotion: keeper.noteDemotion,
          mayBeTaken: () => lease.verify().type === 'lost',
        }),
    listener: {
      ready: () => {
        dispatch({ type: 'workload-ready' });
      },
      ended: (end) => {
        dispatch({ type: 'workload-ended', ...end });
      },
      disarmed: (detail) => {
        dispatch({ type: 'workload-disarmed', detail });
      },
    },
    endHolders: (graceMs) =>
      fencing().clearLeftovers({ fenceGraceMs: graceMs, stopGraceMs: graceMs }),
    endHelpers: (graceMs, lockFiles, ofHooks = false) =>
      endRunHelpers(
        {
          group: options.group,
          stateDir: dirname(local.paths.directory),
          node: settings.nodeId,
          lockFiles,
          ofHooks,
          listNodes: () => local.listNodes(),
        },
        graceMs,
      ),
    warn,
  });
}
