// The group's nodes on this machine: whether they answer, which versions they are, and what was left behind.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { advised } from '../../advised.ts';
import { continueHint, isStopped, livingNodes } from '../../client.ts';
import type { GroupSnapshot } from '../../client.ts';
import { otherDefaultStateDir } from '../../../config/state-dir.ts';
import { counted, plural } from '../../../core/counted.ts';
import { packageVersion } from '../../../version.ts';
import { ok, warning } from '../check.ts';
import type { Check, Finding } from '../check.ts';
import type { Place } from '../place.ts';

export const GROUP_CHECKS: readonly Check[] = [
  {
    id: 'nodes',
    isOfOthers: true,
    question: 'Do all nodes of the group on this machine answer?',
    run: async ({ look }) => judgeNodes(await look()),
  },
  {
    id: 'versions',
    isOfOthers: true,
    question: 'Do they all run this version?',
    run: async ({ look }) => judgeVersions(await look(), packageVersion()),
  },
  {
    id: 'leftovers',
    isOfOthers: true,
    question: 'Did a node that is gone leave processes running?',
    run: async ({ look }) => judgeLeftovers(await look()),
  },
  {
    id: 'other-directory',
    question: 'Does the same group exist in the other default state directory?',
    appliesTo: ({ isDefaultStateDir }) => isDefaultStateDir,
    run: (place) => judgeOther(place, otherDefaultStateDir()),
  },
];

/** Exported for its tests. */
export function judgeNodes(snapshot: GroupSnapshot): Finding {
  const { group } = snapshot;
  const living = livingNodes(snapshot);
  const silent = living.filter(({ presence }) => presence === 'unresponsive');
  const [first] = silent;
  if (first === undefined) {
    if (living.length === 0) return ok(`No node of group ${group} runs on this machine`);
    return ok(`${counted(living.length, 'node')} of group ${group} answer on this machine`);
  }
  const names = silent.map(({ record, silence }) => {
    return `${record.node} (pid ${record.supervisor.pid}) does not answer: ${silence ?? 'nothing came'}`;
  });
  const { pid } = first.record.supervisor;
  const look = `Run \`failover explain ${first.record.node} --group ${group}\`.`;
  const hint = isStopped(first) ? continueHint(pid) : advised(look, snapshot);
  // This node can start, and to take over from one that hangs is what it starts for.
  return warning(names.join('; '), hint);
}

/** Exported for its tests. */
export function judgeVersions(snapshot: GroupSnapshot, own: string): Finding {
  const nodesByVersion = new Map<string, string[]>([[own, []]]);
  for (const { record } of livingNodes(snapshot)) {
    const nodes = nodesByVersion.get(record.version) ?? [];
    nodesByVersion.set(record.version, [...nodes, record.node]);
  }
  if (nodesByVersion.size === 1) return ok(`All nodes run failover ${own}`);
  const parts = [...nodesByVersion].map(([version, nodes]) => {
    const who = [...(version === own ? ['this command'] : []), ...nodes.sort()];
    return `${version}: ${who.join(', ')}`;
  });
  return warning(
    `Versions differ (${parts.join('; ')})`,
    'Restart the nodes of the group with one version, secondaries first.',
  );
}

/** Exported for its tests. */
export function judgeLeftovers(snapshot: GroupSnapshot): Finding {
  const { nodes, group } = snapshot;
  const gone = nodes.filter(({ presence }) => presence === 'gone');
  const left = gone.filter(({ leftovers }) => leftovers.length > 0);
  if (left.length > 0) {
    const facts = left.map(({ record, leftovers }) => {
      const pids = `${plural(leftovers.length, 'pid')} ${leftovers.join(', ')}`;
      return `${record.node} ended and left ${pids} running`;
    });
    const start = `Start a node with \`failover run --group ${group} -- COMMAND\`, which stops it, or kill it.`;
    return warning(facts.join('; '), advised(start, snapshot));
  }
  if (gone.length === 0) return ok('Nothing was left behind');
  const names = gone.map(({ record }) => record.node).sort();
  const fact = `${names.join(', ')} ended unexpectedly, and nothing of ${gone.length === 1 ? 'it' : 'them'} runs`;
  return ok(`${fact}: the next node that starts removes the record`);
}

/** Exported for its tests. */
export function judgeOther(
  { group, stateDir }: Pick<Place, 'group' | 'stateDir'>,
  other: string | null,
): Finding {
  if (other === null || !existsSync(join(other, group))) {
    return ok('The group is in no other default state directory');
  }
  return warning(
    `Group ${group} also exists in ${other}: nodes there and in ${stateDir} do not see each other`,
    'Set --state-dir on all nodes of the group, or run all of them as one user.',
  );
}
