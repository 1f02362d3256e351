// `failover proxy`: passes on to the primary what comes for it, until it is told to end.
import type { ProxyOptions } from '../../config/load-proxy.ts';
import { formatDuration } from '../../config/duration.ts';
import type { RouteChange } from '../../proxy/gate.ts';
import { HttpProxy } from '../../proxy/http-proxy.ts';
import type { ProxyReport } from '../../proxy/http-proxy.ts';
import type { PrimarySource } from '../../proxy/primary-source.ts';
import type { RefusalCode } from '../../proxy/refusals.ts';
import { StaticSource } from '../../proxy/static-source.ts';
import { TcpProxy } from '../../proxy/tcp-proxy.ts';
import { RefusalLines, summaryOf } from '../../proxy/summary.ts';
import { monotonicNow } from '../../runtime/clock.ts';
import { whenOutputIsLost } from '../output.ts';
import { useAllCompilers } from '../compilers.ts';
import { createLogger } from '../render/log.ts';
import type { Logger } from '../render/log.ts';

/** How long what is under way may take after the first request to end, ms. */
const STOP_GRACE_MS = 10_000;

/**
 * Resolves when it has ended, by a signal.
 *
 * @throws FAILOVER_ADDRESS_IN_USE, FAILOVER_NOT_PERMITTED or FAILOVER_BAD_OPTION where it can't listen; what the source
 * of its primary throws
 */
export async function proxy(options: ProxyOptions): Promise<void> {
  useAllCompilers();
  // What goes through it is worth more than the reader of its messages.
  whenOutputIsLost(() => undefined);
  const log = createLogger({
    ...{ format: options.logFormat, quiet: options.quiet, stream: process.stderr },
    ...{ node: 'proxy', group: options.group },
  });
  const refusals = new RefusalLines(monotonicNow, (code: RefusalCode, reason) => {
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
  const port = await server.listen(options.listen);
  const host = options.listen.host ?? '*';
  log.info({
    event: 'listening',
    reason: `Listening at ${host}:${String(port)}`,
    ...{ role: HOLDING, port, pid: process.pid },
  });
  try {
    await source.start(server.listener);
    await ended(server, log);
  } finally {
    await source.close();
    await server.destroy();
  }
  log.info(summaryEntry('ended', server.report()));
}

/** What is proxied is a group, unless a server is given. */
async function sourceOf(options: ProxyOptions, log: Logger): Promise<PrimarySource> {
  if (options.to.length > 0) return new StaticSource(options.to);
  const { openGroupSource } = await import('../../proxy/open-group-source.ts');
  return openGroupSource(options, (reason) => {
    log.warn({ event: 'warning', reason });
  });
}

/** Resolves when nothing is under way after the first signal, at the second one, or when it takes too long. */
function ended(server: HttpProxy | TcpProxy, log: Logger): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const end = (signal: string): void => {
      count += 1;
      if (count > 1) {
        resolve();
        return;
      }
      const { held, underWay } = server.report();
      const left = `${String(underWay)} under way and ${String(held)} held`;
      const grace = formatDuration(STOP_GRACE_MS);
      const reason = `Got ${signal}: ending in order, with up to ${grace} for ${left}. The same again cuts them`;
      log.info({ event: 'stopping', reason });
      setTimeout(resolve, STOP_GRACE_MS).unref();
      void server.close().then(resolve);
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
    process.on('SIGUSR2', () => {
      log.info(summaryEntry('counts', server.report()));
    });
  });
}

const HOLDING = 'holding';

function entryOf({ phase, term, reason, held }: RouteChange): Parameters<Logger['info']>[0] {
  const details = { node: term?.node ?? null, target: term?.target ?? null, held };
  if (phase !== 'open' || term === null) {
    const why = reason ?? 'nobody leads';
    return { event: 'holding', role: HOLDING, reason: `Holding what comes: ${why}`, ...details };
  }
  const { epoch, node, target } = term;
  const who = node === null ? target : `${node} at ${target}`;
  const waiting = held === 0 ? '' : `, beginning with ${String(held)} that are held`;
  const known = epoch === null ? {} : { epoch };
  return {
    event: 'serving',
    role: 'serving',
    ...known,
    reason: `Passing on to ${who}${waiting}`,
    ...details,
  };
}

function summaryEntry(event: string, report: ProxyReport): Parameters<Logger['info']>[0] {
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
