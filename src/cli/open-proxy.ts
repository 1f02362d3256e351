// A proxy put together: its server, the source of its primary, and what is logged of both.
import type { ProxyOptions } from '../config/load-proxy.ts';
import type { RouteChange } from '../proxy/gate.ts';
import { HttpProxy } from '../proxy/http-proxy.ts';
import type { ProxyReport } from '../proxy/http-proxy.ts';
import type { PrimarySource, ReachedNode } from '../proxy/primary-source.ts';
import { StaticSource } from '../proxy/static-source.ts';
import { RefusalLines, summaryOf } from '../proxy/summary.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { monotonicNow } from '../runtime/clock.ts';
import type { Logger } from './render/log.ts';
import type { LogEvent } from './render/log-events.ts';

/** How long what is under way may take after the first request to end, ms. */
export const STOP_GRACE_MS = 10_000;

export type ProxyServer = HttpProxy | TcpProxy;

export interface OpenProxy {
  readonly server: ProxyServer;
  /** Holds what comes until then; resolves once it knows what there is to know. */
  readonly follow: () => Promise<void>;
  /** Ends all of it at once. */
  readonly destroy: () => Promise<void>;
}

/**
 * Listens, and follows nobody yet.
 *
 * @throws FAILOVER_ADDRESS_IN_USE, FAILOVER_NOT_PERMITTED or FAILOVER_BAD_OPTION where it can't listen; what the source
 * of its primary throws
 */
export async function openProxy(options: ProxyOptions, log: Logger): Promise<OpenProxy> {
  const refusals = new RefusalLines(options.mode, monotonicNow, (code, reason) => {
    log.warn({ event: 'refused', code, reason });
  });
  const source = await sourceOf(options, log);
  const Proxy = options.mode === 'tcp' ? TcpProxy : HttpProxy;
  const server = new Proxy(options, {
    onChange: (change) => {
      log.info(entryOf(change));
    },
    onRefused: (code) => {
      refusals.add(code);
    },
  });
  const tell = (): void => {
    log.info(summaryEntry('counts', server.report()));
  };
  const destroy = async (): Promise<void> => {
    telling.delete(tell);
    await source.close();
    await server.destroy();
  };
  try {
    const port = await server.listen(options.listen);
    const host = options.listen.host ?? '*';
    log.info({
      event: 'listening',
      reason: `Listening at ${host}:${String(port)}`,
      ...{ role: HOLDING, port, pid: process.pid },
    });
  } catch (error) {
    await destroy();
    throw error;
  }
  tellOnSignal(tell);
  const onNodes = (nodes: readonly ReachedNode[]): void => {
    if (server instanceof HttpProxy) void server.followNodes(nodes);
  };
  return { server, follow: () => source.start(server.listener, onNodes), destroy };
}

/** Those of this process that tell what they have counted: one signal asks all of them. */
const telling = new Set<() => void>();
let isAsked = false;

function tellOnSignal(tell: () => void): void {
  telling.add(tell);
  if (isAsked) return;
  isAsked = true;
  // To the end of the process: without a listener the signal would end it, and its nodes.
  process.on('SIGUSR2', () => {
    for (const one of telling) one();
  });
}

export function summaryEntry(event: LogEvent, report: ProxyReport): Parameters<Logger['info']>[0] {
  const { counts, ...load } = report;
  const { refused, ...numbers } = counts;
  return {
    event,
    reason: summaryOf(report),
    ...numbers,
    refused: Object.fromEntries(refused),
    ...load,
  };
}

/** What is proxied is a group, unless a server is given. */
async function sourceOf(options: ProxyOptions, log: Logger): Promise<PrimarySource> {
  if (options.to.length > 0) return new StaticSource(options.to);
  const { openGroupSource } = await import('../proxy/open-group-source.ts');
  return openGroupSource(options, (reason) => {
    log.warn({ event: 'warning', reason });
  });
}

const HOLDING = 'holding';

function entryOf({ phase, term, reason, held }: RouteChange): Parameters<Logger['info']>[0] {
  const details = { node: term?.node ?? null, target: term?.target ?? null, held };
  if (phase !== 'open' || term === null) {
    const why = reason ?? 'nobody leads';
    return { event: 'holding', role: HOLDING, reason: `Holding requests: ${why}`, ...details };
  }
  const { epoch, node, target } = term;
  const who = node === null ? target : `${node} at ${target}`;
  const waiting = held === 0 ? '' : `, starting with ${String(held)} held`;
  const known = epoch === null ? {} : { epoch };
  return {
    event: 'serving',
    role: 'serving',
    ...known,
    reason: `Forwarding to ${who}${waiting}`,
    ...details,
  };
}
