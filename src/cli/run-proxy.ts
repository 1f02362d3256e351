// The proxy of `failover run --proxy`: in the process of a node, and otherwise as one of its own.
import { setTimeout as wait } from 'node:timers/promises';
import type { RunOptions } from '../config/load.ts';
import { loadProxyOptions } from '../config/load-proxy.ts';
import { parseTarget } from '../config/proxy-address.ts';
import { useAllCompilers } from './compilers.ts';
import { openProxy, STOP_GRACE_MS, summaryEntry } from './open-proxy.ts';
import type { OpenProxy } from './open-proxy.ts';
import { createLogger } from './render/log.ts';
import type { Logger } from './render/log.ts';

export interface RunProxy {
  /** From when its node takes part. */
  readonly follow: () => Promise<void>;
  /** What is held goes to the next primary, for a while; with `immediate` all of it ends now. */
  readonly end: (order: { readonly immediate: boolean }) => Promise<void>;
}

/** Listens at once: where that fails no node is started. @throws as `openProxy` */
export async function openRunProxy(options: RunOptions, listen: string): Promise<RunProxy> {
  useAllCompilers();
  const { group, stateDir, target, keyFile, authorizedKeys, insecure, secretFile } = options;
  const flags = {
    ...{ listen, group, stateDir, lease: options.lease, logFormat: options.logFormat },
    ...{ keyFile, authorizedKeys, insecure, secretFile, quiet: options.quiet },
    mode: target === null ? 'http' : parseTarget(target).kind,
  };
  const log = createLogger({
    ...{ format: options.logFormat, quiet: options.quiet, stream: process.stderr },
    ...{ node: `${options.node ?? ''} proxy`.trim(), group },
  });
  const open = await openProxy(loadProxyOptions({ flags, env: process.env }), log);
  return {
    follow: open.follow,
    end: async ({ immediate }) => {
      await end(open, log, immediate);
    },
  };
}

async function end(open: OpenProxy, log: Logger, immediate: boolean): Promise<void> {
  if (!immediate) {
    const limit = new AbortController();
    const late = wait(STOP_GRACE_MS, undefined, { signal: limit.signal }).catch(() => undefined);
    await Promise.race([open.server.close(), late]);
    limit.abort();
  }
  await open.destroy();
  log.info(summaryEntry('proxy-ended', open.server.report()));
}
