// The HTTP of `failover up --http`: one server for all groups of the process.
import type { RunOptions } from '../../config/load.ts';
import { parseHttpAddress } from '../../config/proxy-address.ts';
import type { Step } from '../../core/transition.ts';
import { GroupMeters } from '../../http/meters.ts';
import type { Absence, NodeSight } from '../../http/node-checks.ts';
import { Page } from '../../http/page.ts';
import { openHttpServer } from '../../http/server.ts';
import { tokenInFile } from '../../http/token.ts';
import type { FailoverNode } from '../../runtime/failover-node.ts';
import type { NodeStatus } from '../../runtime/node-status.ts';
import type { TransportCounters } from '../../transport/counters.ts';
import { GroupWatch } from '../group-watch.ts';
import { optionsFor } from '../groups.ts';
import type { Fleet } from './fleet.ts';

/** What is asked of a node. */
type Asked = Pick<FailoverNode, 'isTurning' | 'sight'>;

/** Told of what the nodes of a process do. */
export interface NodeListener {
  /** Of each node that takes part, and again once it does not. */
  readonly onNode: (group: string, node: Asked | null) => void;
  /** Made before a node starts; told of each step of its core. */
  readonly onStepOf: (group: string) => (step: Step) => void;
}

/** What it answers for. */
export interface Served {
  readonly fleet: Pick<Fleet, 'absence' | 'isEnding' | 'names'>;
  /** The sockets that all groups share. */
  readonly transport: { readonly counters: () => TransportCounters };
}

export interface UpHttp {
  /** `http://HOST:PORT`. */
  readonly url: string;
  readonly listener: NodeListener;
  /** From when there are groups. */
  readonly serve: (served: Served) => void;
  /** A new file was taken: groups have come or gone. */
  readonly changed: () => void;
  readonly close: () => Promise<void>;
}

/** Listens at once: where that fails no group is started. @throws as `openHttpServer` and `tokenInFile` */
export async function openUpHttp(
  { httpTokenFile, stateDir }: Pick<RunOptions, 'httpTokenFile' | 'stateDir'>,
  address: string,
  warn: (message: string) => void,
): Promise<UpHttp> {
  const nodes = new Map<string, Asked>();
  const meters = new GroupMeters();
  let served: Served | null = null;
  const list = (): readonly string[] => served?.fleet.names ?? [];
  const groups = new GroupWatch({
    ...{ only: null, list },
    // One directory for all of them, as long as the process lives; each may have a lease in it that ends by itself.
    client: (group) => optionsFor(group, { stateDir }),
  });
  /** Those that have taken their first step. */
  const begun = new Set<string>();
  const look = (group: string): NodeSight | Absence => {
    const node = nodes.get(group);
    if (node === undefined) return served?.fleet.absence(group) ?? 'starting';
    return { ...node.sight(), isTurning: node.isTurning || !begun.has(group) };
  };
  const measure = together(() => {
    const statuses = new Map([...nodes].map(([group, node]) => [group, node.sight()]));
    meters.keep(list());
    const counters = served?.transport.counters() ?? null;
    const transport =
      counters === null ? null : { group: null, counters: withPeersOf(counters, statuses) };
    return meters.text({ nodes: statuses, transport });
  });
  const token = httpTokenFile === null ? null : tokenInFile(httpTokenFile, warn);
  const server = await openHttpServer(parseHttpAddress(address), {
    ...{ groups, look, page: new Page(), tokenHint: TOKEN_HINT, token: token?.check ?? null },
    isEnding: () => served?.fleet.isEnding ?? false,
    metrics: { type: meters.contentType, text: measure },
  }).catch((error: unknown) => {
    token?.close();
    throw error;
  });
  return {
    url: server.url,
    listener: {
      onNode: (group, node) => {
        if (node !== null) nodes.set(group, node);
        else if (nodes.delete(group)) begun.delete(group);
      },
      onStepOf: (group) => {
        const counts = meters.of(group);
        return (step) => {
          begun.add(group);
          counts.note(step);
          if (step.move !== null) groups.nudgeOne(group);
        };
      },
    },
    serve: (now) => {
      served = now;
    },
    changed: () => {
      meters.keep(list());
      groups.nudge();
    },
    close: async () => {
      groups.close();
      token?.close();
      await server.close();
    },
  };
}

/** Many who ask at a time cost one: of a thousand groups it is some megabytes. */
function together(measure: () => Promise<string>): () => Promise<string> {
  let underWay: Promise<string> | null = null;
  return () => {
    underWay ??= measure().finally(() => {
      underWay = null;
    });
    return underWay;
  };
}

/** What peers of a group were not believed is counted by its node, beside what came over the sockets of all. */
function withPeersOf(
  shared: TransportCounters,
  statuses: ReadonlyMap<string, NodeStatus>,
): TransportCounters {
  const distrusted = { ...shared.distrusted };
  for (const { transport } of statuses.values()) {
    for (const cause of CAUSES_OF_PEERS) {
      distrusted[cause] += transport.distrusted[cause] - shared.distrusted[cause];
    }
  }
  return { ...shared, distrusted };
}

const CAUSES_OF_PEERS = ['bad-signature', 'repeated'] as const;

const TOKEN_HINT =
  'Start `failover up` with --http-token-file FILE, made by `openssl rand -hex 24` in a file of mode 0600.';
