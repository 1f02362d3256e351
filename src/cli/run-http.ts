// The HTTP of `failover run --http`: what is answered, and what is counted for it.
import type { RunOptions } from '../config/load.ts';
import { parseHttpAddress } from '../config/proxy-address.ts';
import type { Step } from '../core/transition.ts';
import { GroupMeters } from '../http/meters.ts';
import { Page } from '../http/page.ts';
import { openHttpServer } from '../http/server.ts';
import { tokenInFile } from '../http/token.ts';
import type { FailoverNode } from '../runtime/failover-node.ts';
import { GroupWatch } from './group-watch.ts';

export interface RunHttp {
  /** `http://HOST:PORT`. */
  readonly url: string;
  readonly onStep: (step: Step) => void;
  /** From when its node takes part: before, it is only starting. */
  readonly serve: (node: FailoverNode) => void;
  readonly close: () => Promise<void>;
}

/** Listens at once: where that fails no node is started. @throws as `openHttpServer` and `tokenInFile` */
export async function openRunHttp(
  { group, stateDir, httpTokenFile }: RunOptions,
  address: string,
  warn: (message: string) => void,
): Promise<RunHttp> {
  const meters = new GroupMeters();
  const counts = meters.of(group);
  let node: FailoverNode | null = null;
  const measure = (): Promise<string> => {
    const status = node?.sight();
    if (status === undefined) return meters.text({ nodes: new Map(), transport: null });
    const transport = { group, counters: status.transport };
    return meters.text({ nodes: new Map([[group, status]]), transport });
  };
  // The server of its lease is asked by way of the node.
  const groups = new GroupWatch({ client: () => ({ stateDir }), only: group, list: () => [group] });
  const token = httpTokenFile === null ? null : tokenInFile(httpTokenFile, warn);
  const { url, close } = await openHttpServer(parseHttpAddress(address), {
    ...{ groups, page: new Page(), tokenHint: TOKEN_HINT },
    look: () => node?.sight() ?? 'starting',
    metrics: { type: meters.contentType, text: measure },
    token: token?.check ?? null,
  });
  return {
    url,
    close: async () => {
      groups.close();
      token?.close();
      await close();
    },
    onStep: (step) => {
      counts.note(step);
      if (step.move !== null) groups.nudge();
    },
    serve: (started) => {
      node = started;
    },
  };
}

const TOKEN_HINT =
  'Start the node with --http-token-file FILE, made by `openssl rand -hex 24` in a file of mode 0600.';
