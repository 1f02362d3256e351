// What is wrong with a group, each in a sentence that says what to do about it.
import { plural } from '../core/counted.ts';
import { humanMs } from '../core/duration-text.ts';
import { DISABLED, PAUSED, SUSPENDING } from '../core/election-order.ts';
import { isComparable } from '../fence/process-identity.ts';
import { SIGN_PAUSE_MS } from '../lease/sign-of-life.ts';
import { advised } from './advised.ts';
import type { GroupSnapshot, SeenNode } from './client.ts';
import {
  continueHint,
  directoryOf,
  isStopped,
  leaseHolder,
  livingNodes,
  startCommand,
} from './client.ts';
import type { NodeStatus } from '../runtime/node-status.ts';
import { remedyFor } from './silent-holder.ts';
import { holderElsewhere, nodesElsewhere } from './store-sight.ts';
import type { StoreSight } from './store-sight.ts';

/** The warnings of `failover status`, the gravest first. */
export function warningsOf(snapshot: GroupSnapshot): readonly string[] {
  return [
    ...absenceWarnings(snapshot),
    ...storeWarnings(snapshot),
    ...leaseWarnings(snapshot),
    ...silentWarnings(snapshot),
    ...endedWarnings(snapshot),
    ...standbyWarnings(snapshot),
    ...healthWarnings(snapshot),
    ...strategyWarnings(snapshot),
    ...ownWarnings(snapshot),
  ].map((warning) => advised(warning, snapshot));
}

/** Some wait for better nodes, and others come before them. */
function strategyWarnings(snapshot: GroupSnapshot): string[] {
  const told = livingNodes(snapshot).flatMap(({ record, status }) =>
    status === null || record.priority === 0 ? [] : [{ node: record.node, ...status }],
  );
  const racing = told.find(({ strategy }) => strategy === 'race');
  const waiting = told.find(({ strategy }) => strategy === 'priority');
  if (racing === undefined || waiting === undefined) return [];
  return [
    `${racing.node} uses --strategy race, but ${waiting.node} waits for nodes with a lower priority number: ` +
      'start all nodes of the group with the same --strategy.',
  ];
}

/** A misspelt name looks like a group that has ended. */
export function absenceWarnings(snapshot: GroupSnapshot): string[] {
  const { group, stateDir, paths, store } = snapshot;
  if (paths !== null || nodesElsewhere(snapshot).length > 0) return [];
  const start = startCommand(snapshot);
  if (store !== null && store.problem === null && store.shown !== null) {
    return [
      `No node of group ${group} has ever run in ${stateDir}, and ${store.shown} has no record of one: start one with ${start}.`,
    ];
  }
  const never = `No node of group ${group} has ever run in ${stateDir}`;
  // Rather than to start another, who looks in the wrong place is told of the right one.
  const [place] = snapshot.elsewhere;
  return [place === undefined ? `${never}: start one with ${start}.` : `${never}. ${place}`];
}

/** What is known here goes on being shown without the server. */
function storeWarnings(snapshot: GroupSnapshot): string[] {
  const { store } = snapshot;
  if (store === null) return [];
  const missing =
    store.problem === null ? [] : [`${store.problem}. Showing only what this machine knows.`];
  const by = store.kind === 'peers' ? 'its peers' : 'the lease server';
  const silent = nodesElsewhere(snapshot).filter(({ seenAgoMs }) => seenAgoMs > silenceOf(store));
  return [
    ...missing,
    ...silent.map(
      ({ node, host, seenAgoMs }) =>
        `${node} on ${host} was last seen by ${by} ${humanMs(seenAgoMs)} ago: check it there.`,
    ),
  ];
}

/** How long nodes that are well may go unseen, ms. */
function silenceOf({ kind }: StoreSight): number {
  return (kind === 'etcd' || kind === 'timed-file' ? SIGN_PAUSE_MS[kind] : 0) + SILENCE_MS;
}

/** Several times what a node pauses between two looks. */
const SILENCE_MS = 5_000;

function leaseWarnings(snapshot: GroupSnapshot): string[] {
  const { observation, group } = snapshot;
  const warnings: string[] = [];
  const holder = leaseHolder(snapshot);
  if (observation.held && observation.recordUnreadable) {
    warnings.push(
      `The lease is held, but the record of epoch ${observation.epoch} in ` +
        `${directoryOf(snapshot)}/epochs cannot be read: inspect it, it is never repaired automatically.`,
    );
  } else if (observation.held && holder === null && snapshot.store !== null) {
    // A server that can not be asked may know who has it.
    if (snapshot.store.problem === null && holderElsewhere(snapshot) === null) {
      warnings.push(
        'The lease is held, but its server knows no live node that holds it: it expires unless it is renewed.',
      );
    }
  } else if (observation.held && holder === null) {
    warnings.push(
      `The lease is held by a process that is not a live node of this group: a node that is just claiming it, or a foreign process. If this persists, check which process has ${directoryOf(snapshot)}/primary.lock open.`,
    );
  }
  for (const { record, status } of livingNodes(snapshot)) {
    if (status?.role !== 'primary' || record.run === holder?.record.run) continue;
    // The last thing that it does is to give the lease back.
    if (status.phase === 'demoting') continue;
    const acts = `${record.node} still acts as primary of epoch ${status.epoch}`;
    if (!observation.held) {
      warnings.push(
        `${acts}, but its lease is gone: ${directoryOf(snapshot)} was removed or replaced. ` +
          'It steps down at its next heartbeat.',
      );
    } else if (holder !== null) {
      warnings.push(
        `${acts}, but ${holder.record.node} holds the lease: ` +
          `stop it with \`failover stop ${record.node} --group ${group}\`.`,
      );
    }
  }
  return warnings;
}

function silentWarnings(snapshot: GroupSnapshot): string[] {
  const holder = leaseHolder(snapshot);
  return snapshot.nodes.flatMap((seen) => {
    const { record, presence, silence } = seen;
    const { node, supervisor, host } = record;
    const why = silence ?? 'it does not answer';
    if (presence === 'unknown') {
      return [
        `${node} (pid ${supervisor.pid} of another pid namespace, host ${host}) does not answer, ` +
          'and cannot be inspected from here: run `failover status` where it runs.',
      ];
    }
    if (presence !== 'unresponsive') return [];
    const leads = record.run === holder?.record.run;
    const remedy = isStopped(seen) ? continueHint(supervisor.pid) : 'Inspect the process.';
    const advice = leads ? remedyFor(seen, snapshot) : remedy;
    return [`${node} (pid ${supervisor.pid}) does not answer: ${why}. ${advice}`];
  });
}

/** A node that came back under its id is not missed, but what it left is told of all the same. */
function endedWarnings(snapshot: GroupSnapshot): string[] {
  const back = new Set(livingNodes(snapshot).map(({ record }) => record.node));
  return snapshot.nodes.flatMap((node) => {
    const { record, presence, leftovers } = node;
    if (presence !== 'gone') return [];
    const who = `${record.node} (pid ${record.supervisor.pid})`;
    if (leftovers.length > 0) {
      const one = leftovers.length === 1;
      return [
        `${who} ended and left ${plural(leftovers.length, 'pid')} ${leftovers.join(', ')} running: no command starts until ${one ? 'it exits' : 'they exit'} on ${one ? 'its' : 'their'} own (--orphan keep) or ${one ? 'is' : 'are'} stopped by the next primary.`,
      ];
    }
    if (back.has(record.node)) return [];
    return [`${who} ended unexpectedly${restartOf(node)}: restart it if it is needed.`];
  });
}

function restartOf({ record }: SeenNode): string {
  return isComparable(record.supervisor) ? '' : ', before the machine was rebooted';
}

function standbyWarnings(snapshot: GroupSnapshot): string[] {
  const { group, observation, pause } = snapshot;
  const living = livingNodes(snapshot);
  const warnings: string[] = [];
  if (observation.paused) {
    const by = pause?.by ?? null;
    warnings.push(
      `The group is paused${by === null ? '' : ` by ${by}`}: no node takes over automatically. ` +
        `Run \`failover resume --group ${group}\`.`,
    );
  }
  const secondaries = living.filter(({ status }) => status?.role === 'secondary');
  const others = nodesElsewhere(snapshot).length;
  if (living.length > 0 && leaseHolder(snapshot) !== null && secondaries.length + others === 0) {
    warnings.push('No secondary stands by: start another node with the same command.');
  }
  const never = secondaries.filter(({ record }) => record.priority === 0);
  const hasLeader = leaseHolder(snapshot) !== null;
  if (hasLeader && others === 0 && never.length > 0 && never.length === secondaries.length) {
    const named = never.map(({ record }) => record.node).join(', ');
    warnings.push(
      `Nobody would take over: ${named} never ${never.length === 1 ? 'leads' : 'lead'} (--priority 0). ` +
        'Start another node with the same command.',
    );
  }
  for (const { record, status } of secondaries) {
    // A priority of 0 is what its owner wants.
    if (status === null || status.willing || record.priority === 0) continue;
    const why = status.unwillingBecause ?? 'it does not say why';
    // Said of the whole group already.
    if (observation.paused && why === PAUSED) continue;
    const canBeAsked = isNobodyWilling(snapshot) && isPromotable(status);
    const waysOut = canBeAsked ? ` ${wayOut(record.node, group)}` : '';
    warnings.push(`${record.node} would not take over: ${why}.${waysOut}`);
  }
  return warnings;
}

/** Nobody leads, and of all that are known nobody will by itself. */
export function isNobodyWilling(snapshot: GroupSnapshot): boolean {
  if (snapshot.observation.held || nodesElsewhere(snapshot).length > 0) return false;
  return livingNodes(snapshot).every(({ status }) => status?.willing === false);
}

/** Whether a person's request can make it lead: what its own program or terminal wants goes first. */
export function isPromotable({ unwillingBecause }: Pick<NodeStatus, 'unwillingBecause'>): boolean {
  return unwillingBecause !== DISABLED && unwillingBecause !== SUSPENDING;
}

function wayOut(node: string, group: string): string {
  return `Run \`failover promote ${node} --group ${group}\` to have it lead now.`;
}

/** Who leads all the same, and who would lead last. */
function healthWarnings(snapshot: GroupSnapshot): string[] {
  return livingNodes(snapshot).flatMap(({ record: { node }, status }) => {
    const because = status?.unhealthyBecause ?? null;
    // It is not known of who has just started.
    if (because === null || status?.health === 'unknown') return [];
    if (status?.role === 'primary') {
      return [`${node} leads with an unhealthy workload: ${because}. Check it there.`];
    }
    if (status?.willing !== true) return [];
    return [`${node} would take over only if no healthy node can: ${because}. Check it there.`];
  });
}

/** What nodes say of themselves; what several say is said once. */
function ownWarnings(snapshot: GroupSnapshot): string[] {
  const nodesByWarning = new Map<string, string[]>();
  for (const { record, status } of livingNodes(snapshot)) {
    const warning = status?.warning ?? null;
    if (warning === null) continue;
    nodesByWarning.set(warning, [...(nodesByWarning.get(warning) ?? []), record.node]);
  }
  return [...nodesByWarning].map(([warning, nodes]) => `${nodes.sort().join(', ')}: ${warning}`);
}
