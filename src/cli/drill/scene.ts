// A group as a drill finds it: fit for trouble, or refused with what forbids it.
import type { Standby } from '../../core/settings.ts';
import { FailoverError } from '../../errors.ts';
import { isComparable } from '../../fence/process-identity.ts';
import type { RegisteredNode } from '../../lease/file/node-registry.ts';
import type { ProcessIdentity } from '../../lease/lease-store.ts';
import type { NodeSetup } from '../../runtime/node-setup.ts';
import type { Activation, NodeStatus } from '../../runtime/node-status.ts';
import { hintElsewhere, livingNodes, primaryOf } from '../client.ts';
import type { GroupSnapshot, SeenNode } from '../client.ts';
import { successionOf } from '../group-status.ts';

export interface SceneNode {
  readonly id: string;
  readonly run: string;
  readonly version: string;
  readonly standby: Standby;
  readonly supervisor: ProcessIdentity;
  readonly record: RegisteredNode;
  readonly setup: NodeSetup;
  /** What it predicts of a takeover by itself, as `status` shows it, ms. */
  readonly crashMs: number | null;
  readonly hangMs: number | null;
  readonly restartsLeft: number;
  readonly workloadPid: number | null;
  readonly activation: Activation | null;
}

export interface Scene {
  readonly group: string;
  readonly epoch: number;
  readonly primary: SceneNode;
  /** Those that would take over, in order; never empty. */
  readonly secondaries: readonly SceneNode[];
  /** Every living node, the primary first. */
  readonly nodes: readonly SceneNode[];
}

export interface SceneRules {
  /** Whether this user may signal the process; asked of every supervisor. */
  readonly maySignal: (pid: number) => boolean;
  readonly allowMixedVersions: boolean;
}

/**
 * The scene of a drill, from one look at the group.
 *
 * @throws FAILOVER_NO_PRIMARY; FAILOVER_REFUSED or FAILOVER_NOT_PERMITTED with the first thing that
 *   forbids to make any trouble now
 */
export function sceneOf(snapshot: GroupSnapshot, rules: SceneRules): Scene {
  const { group, observation } = snapshot;
  const holder = primaryOf(snapshot);
  if (observation.paused) {
    throw refused('the group is paused, so no node would take over', {
      hint: `Run \`failover resume --group ${group}\` first.`,
    });
  }
  refuseForeigners(snapshot);
  refuseServers(snapshot);
  if (holder === null) throw noPrimary(snapshot);
  refuseSilent(snapshot);
  const nodes = livingNodes(snapshot).flatMap(({ record, status }) => {
    return status === null ? [] : [sceneNode(record, status)];
  });
  const primary = nodes.find(({ run }) => run === holder.record.run);
  if (primary === undefined) throw noPrimary(snapshot);
  if (holder.status?.phase !== 'serving') {
    const is = holder.status?.phase ?? 'unresponsive';
    throw refused(`${primary.id} is ${is} and not serving`, { details: { group } });
  }
  refuseMixture(nodes, rules);
  refuseForbidden(nodes, rules);
  const secondaries = successionOf(snapshot, holder).flatMap((id) => {
    return nodes.find((node) => node.id === id && node !== primary) ?? [];
  });
  if (secondaries.length === 0) {
    throw refused(`no secondary would take over${whyNot(snapshot)}`, { details: { group } });
  }
  const others = nodes.filter((node) => node !== primary);
  return { group, epoch: observation.epoch, primary, secondaries, nodes: [primary, ...others] };
}

function noPrimary(snapshot: GroupSnapshot): FailoverError {
  const { group } = snapshot;
  return new FailoverError('FAILOVER_NO_PRIMARY', `Cannot drill: group ${group} has no primary`, {
    details: { group },
    ...hintElsewhere(snapshot),
  });
}

/** How long a takeover may take is known for the file lease only. */
function refuseServers(snapshot: GroupSnapshot): void {
  const kind = livingNodes(snapshot).find(({ status }) => status !== null)?.status?.lease.kind;
  if (kind === undefined || kind === 'file') return;
  const { group } = snapshot;
  const where = PLACES.get(kind) ?? `on a server (${kind})`;
  const fact =
    kind === 'static'
      ? `only one node of group ${group} may lead`
      : `the lease of group ${group} is ${where}`;
  throw refused(fact, {
    hint: 'Drill a group whose lease is `file`.',
  });
}

const PLACES: ReadonlyMap<string, string> = new Map([
  ['peers', 'agreed among the nodes'],
  ['timed-file', 'in files shared by machines'],
]);

/** What can't be looked at from here can't be watched for an overlap either. */
function refuseForeigners({ nodes }: GroupSnapshot): void {
  for (const { record, presence } of nodes) {
    if (presence === 'gone' || isComparable(record.supervisor)) continue;
    throw refused(
      `${record.node} runs on host ${record.host} in another pid namespace, not visible from here`,
      { hint: 'Run the drill where the nodes run.' },
    );
  }
}

function refuseSilent({ nodes, group }: GroupSnapshot): void {
  const details = { group };
  for (const { record, presence, silence, leftovers } of nodes) {
    if (leftovers.length > 0) {
      throw refused(`${record.node} ended and left pid ${leftovers.join(', ')} running`, {
        details,
      });
    }
    if (presence !== 'unresponsive' && presence !== 'unknown') continue;
    throw refused(`${record.node} does not answer: ${silence ?? 'it says nothing'}`, { details });
  }
}

function refuseMixture(nodes: readonly SceneNode[], { allowMixedVersions }: SceneRules): void {
  const versions = new Set(nodes.map(({ version }) => version));
  if (versions.size === 1 || allowMixedVersions) return;
  const shown = nodes.map(({ id, version }) => `${id} ${version}`).join(', ');
  throw refused(`the nodes are of different versions: ${shown}`, {
    hint: 'Upgrade them all, or allow it with --allow-mixed-versions.',
  });
}

function refuseForbidden(nodes: readonly SceneNode[], { maySignal }: SceneRules): void {
  for (const { id, supervisor } of nodes) {
    if (maySignal(supervisor.pid)) continue;
    const fact = `Cannot drill: this user may not signal ${id} (pid ${String(supervisor.pid)})`;
    throw new FailoverError('FAILOVER_NOT_PERMITTED', fact);
  }
}

function whyNot(snapshot: GroupSnapshot): string {
  const reasons = livingNodes(snapshot).flatMap(({ record, status }: SeenNode) => {
    if (status?.role !== 'secondary' || status.unwillingBecause === null) return [];
    return [`${record.node}: ${status.unwillingBecause}`];
  });
  return reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
}

function sceneNode(record: RegisteredNode, status: NodeStatus): SceneNode {
  const setup = readSetup(status.setup);
  if (setup === null || !Number.isSafeInteger(status.restartsLeft)) {
    throw refused(
      `${record.node} is of version ${status.version}, which does not report its settings`,
      { hint: 'Upgrade the nodes of the group.' },
    );
  }
  return {
    id: record.node,
    run: record.run,
    version: status.version,
    standby: record.standby,
    supervisor: record.supervisor,
    record,
    setup,
    crashMs: status.takeover.crashMs,
    hangMs: status.takeover.hangMs,
    restartsLeft: status.restartsLeft,
    workloadPid: status.workload.pid,
    activation: readActivation(status.activation),
  };
}

/** It comes from another process, perhaps of another version: null where a setting is missing. */
function readSetup(setup: unknown): NodeSetup | null {
  if (typeof setup !== 'object' || setup === null) return null;
  // An object without a known shape is a map of unknown values.
  const fields = setup as Readonly<Record<string, unknown>>;
  const complete =
    FLAGS.every((name) => typeof fields[name] === 'boolean') &&
    NUMBERS.every((name) => Number.isFinite(fields[name])) &&
    WORDS.every((name) => typeof fields[name] === 'string');
  // Everything that the drill reads has been looked at.
  return complete ? (setup as NodeSetup) : null;
}

const FLAGS = ['ownsProcess', 'hasWorkload', 'hasDemoteCommand', 'exitOnDemote'] as const;
const WORDS = ['fence', 'orphan', 'restart'] as const;
const NUMBERS = [
  'heartbeatIntervalMs',
  'heartbeatTimeoutMs',
  'probeTimeoutMs',
  'probeAttempts',
  'stopGraceMs',
  'fenceGraceMs',
  'demoteTimeoutMs',
  'drainMs',
  'restartLimit',
  'restartWindowMs',
] as const;

function readActivation(activation: unknown): Activation | null {
  if (typeof activation !== 'object' || activation === null) return null;
  if (!('epoch' in activation) || !('atMs' in activation)) return null;
  const { epoch, atMs } = activation;
  return typeof epoch === 'number' && typeof atMs === 'number' ? { epoch, atMs } : null;
}

/** With a hint of its own, or the group for that of the catalogue. */
function refused(
  fact: string,
  options: { readonly hint: string } | { readonly details: { readonly group: string } },
): FailoverError {
  return new FailoverError('FAILOVER_REFUSED', `Cannot drill: ${fact}`, options);
}
