// `failover explain`: why a node is what it is, or why nobody has taken over.
import type { ClientOptions } from '../../config/load.ts';
import { journalOfNode } from '../../journal/find-journal.ts';
import { accountOf, journalAccount } from '../account.ts';
import type { Account } from '../account.ts';
import { leaseHolder, livingNodes, nodeNamed, primaryOf } from '../client.ts';
import type { GroupSnapshot, SeenNode } from '../client.ts';
import { groupAnswerOf } from '../group-answer.ts';
import { successionOf } from '../group-status.ts';
import { colorLevel } from '../render/color.ts';
import { explainLines } from '../render/explain-text.ts';
import { paintFor } from '../render/plain.ts';
import { holderElsewhere, lookEverywhere, nodesElsewhere, unknownBecause } from '../store-sight.ts';

export interface ExplainOptions extends ClientOptions {
  /** Null: those that the answer is about. */
  readonly node: string | null;
  readonly json: boolean;
}

/** What `explain --json` prints. Keys are added in later versions, never changed or removed. */
export interface GroupExplanation {
  readonly v: 1;
  readonly group: string;
  /** Who leads, or why nobody does. */
  readonly answer: string;
  readonly primary: string | null;
  readonly paused: boolean;
  readonly lease: {
    readonly held: boolean;
    readonly holder: string | null;
    readonly epoch: number;
    /** Why it is not known who has it; null: it is. */
    readonly problem: string | null;
  };
  readonly nodes: readonly Account[];
}

/** More are not told of at once: each has a name to ask for. */
const NODES_LIMIT = 20;

/** Prints the explanation; exit code 3 where there is no such node, or none at all. */
export async function explain(options: ExplainOptions): Promise<void> {
  const snapshot = await lookEverywhere(options);
  const nodes = await accountsFor(options.node, snapshot);
  const { group, observation } = snapshot;
  const { epoch, held, paused } = observation;
  const explained: GroupExplanation = {
    v: 1,
    group,
    answer: groupAnswerOf(snapshot),
    primary: primaryOf(snapshot)?.record.node ?? holderElsewhere(snapshot)?.node ?? null,
    paused,
    lease: {
      held,
      holder: leaseHolder(snapshot)?.record.node ?? holderElsewhere(snapshot)?.node ?? null,
      epoch,
      problem: unknownBecause(snapshot),
    },
    nodes,
  };
  process.stdout.write(
    options.json ? `${JSON.stringify(explained, null, 2)}\n` : await textOf(explained),
  );
  if (nodes.length === 0 && nodesElsewhere(snapshot).length === 0) process.exitCode = 3;
}

async function textOf(explained: GroupExplanation): Promise<string> {
  const paint = await paintFor(colorLevel(process.stdout));
  return `${explainLines(explained, paint, new Date()).join('\n')}\n`;
}

async function accountsFor(
  id: string | null,
  snapshot: GroupSnapshot,
): Promise<readonly Account[]> {
  if (id === null) {
    return Promise.all(concerned(snapshot).map((seen) => accountOf(seen, snapshot)));
  }
  const seen = bestNamed(id, snapshot) ?? null;
  if (seen !== null) return [await accountOf(seen, snapshot)];
  const found = snapshot.paths === null ? null : journalOfNode(snapshot.paths.journal, id);
  // Nothing is left of it: the error names those that live.
  if (found === null) return [await accountOf(nodeNamed(snapshot, id), snapshot)];
  return [journalAccount(found, { presence: 'gone', silence: null })];
}

/** One that lives, if its id has also been that of one that has ended. */
function bestNamed(id: string, snapshot: GroupSnapshot): SeenNode | undefined {
  const named = snapshot.nodes.filter(({ record }) => record.node === id);
  const living = new Set(livingNodes(snapshot));
  return named.find((seen) => living.has(seen)) ?? named[0];
}

/** The primary and who is next; without a primary all, for any of them could have taken over. */
function concerned(snapshot: GroupSnapshot): readonly SeenNode[] {
  const primary = primaryOf(snapshot);
  if (primary === null) return snapshot.nodes.slice(0, NODES_LIMIT);
  const [next] = successionOf(snapshot, primary);
  const second = livingNodes(snapshot).find(({ record }) => record.node === next);
  return second === undefined ? [primary] : [primary, second];
}
