// The HTTP of `failover run --http`: what is answered, and what is counted for it.
import type { RunOptions } from '../config/load.ts';
import { parseHttpAddress } from '../config/proxy-address.ts';
import type { Step } from '../core/transition.ts';
import { NodeMeters } from '../http/meters.ts';
import { openNodeServer } from '../http/node-server.ts';
import type { FailoverNode } from '../runtime/failover-node.ts';

export interface RunHttp {
  /** `http://HOST:PORT`. */
  readonly url: string;
  readonly onStep: (step: Step) => void;
  /** From when its node takes part: before, it is only starting. */
  readonly serve: (node: FailoverNode) => void;
  readonly close: () => Promise<void>;
}

/** Listens at once: where that fails no node is started. @throws as `openNodeServer` */
export async function openRunHttp({ group }: RunOptions, address: string): Promise<RunHttp> {
  const meters = new NodeMeters(group);
  let node: FailoverNode | null = null;
  const look = (): ReturnType<FailoverNode['status']> | null => node?.status() ?? null;
  const { url, close } = await openNodeServer(parseHttpAddress(address), {
    ...{ group, look, metricsType: meters.contentType },
    metrics: () => meters.text(look()),
  });
  return {
    ...{ url, close },
    onStep: (step) => {
      meters.note(step);
    },
    serve: (started) => {
      node = started;
    },
  };
}
