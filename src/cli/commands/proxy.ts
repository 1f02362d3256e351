// `failover proxy`: passes on to the primary what comes for it, until it is told to end.
import type { ProxyOptions } from '../../config/load-proxy.ts';
import { formatDuration } from '../../config/duration.ts';
import { useAllCompilers } from '../compilers.ts';
import { openProxy, STOP_GRACE_MS, summaryEntry } from '../open-proxy.ts';
import type { ProxyServer } from '../open-proxy.ts';
import { whenOutputIsLost } from '../output.ts';
import { createLogger } from '../render/log.ts';
import type { Logger } from '../render/log.ts';

/**
 * Resolves when it has ended, by a signal.
 *
 * @throws as `openProxy`
 */
export async function proxy(options: ProxyOptions): Promise<void> {
  useAllCompilers();
  // What goes through it is worth more than the reader of its messages.
  whenOutputIsLost(() => undefined);
  const log = createLogger({
    ...{ format: options.logFormat, quiet: options.quiet, stream: process.stderr },
    ...{ node: 'proxy', group: options.group },
  });
  const { server, follow, destroy } = await openProxy(options, log);
  // From here on, also while it is still looking for who leads: what comes is held already.
  const over = ended(server, log);
  try {
    await Promise.race([follow(), over]);
    await over;
  } finally {
    await destroy();
  }
  log.info(summaryEntry('ended', server.report()));
}

/** Resolves when nothing is under way after the first signal, at the second one, or when it takes too long. */
function ended(server: ProxyServer, log: Logger): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const end = (signal: string): void => {
      count += 1;
      if (count > 1) {
        resolve();
        return;
      }
      const { held, underWay } = server.report();
      const left = `${String(underWay)} in flight and ${String(held)} held`;
      const grace = formatDuration(STOP_GRACE_MS);
      const reason = `Got ${signal}: shutting down gracefully (up to ${grace} for ${left}). Send it again to close them at once`;
      log.info({ event: 'stopping', reason });
      setTimeout(resolve, STOP_GRACE_MS).unref();
      void server.close().then(resolve);
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
  });
}
