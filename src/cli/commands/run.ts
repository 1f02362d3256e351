// `failover run`: one node in this process, until it is told to stop or has nothing left to do.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration } from '../../config/duration.ts';
import type { RunOptions } from '../../config/load.ts';
import { defaultStateDir, otherDefaultStateDir } from '../../config/state-dir.ts';
import { ERRORS, FailoverError } from '../../errors.ts';
import { FailoverNode } from '../../runtime/failover-node.ts';
import { messageOf } from '../../runtime/failures.ts';
import type { NodeTransition } from '../../runtime/narrator.ts';
import { commandWarnings } from '../../workload/warnings.ts';
import { createLogger } from '../render/log.ts';

/** Runs a node; the exit code of the process is that of the node's end. */
export async function run(options: RunOptions): Promise<void> {
  const suspend = (): void => {
    process.kill(process.pid, 'SIGSTOP');
  };
  const node = await FailoverNode.start(options, { suspend });
  const { group } = options;
  const log = createLogger({
    format: options.logFormat,
    quiet: options.quiet,
    stream: process.stderr,
    node: node.settings.nodeId,
    group,
  });
  node.on('transition', ({ from, to, role, epoch, reason, takeover, time }) => {
    log.info({ event: 'transition', from, to, role, epoch, reason, takeover, time });
  });
  node.on('warning', (reason) => {
    log.warn({ event: 'warning', reason });
  });
  log.info({
    event: 'joined',
    reason: `Joined group ${group} in ${node.directory}`,
    ...{ role: 'secondary', pid: process.pid },
  });
  for (const warning of startWarnings(options)) log.warn({ event: 'warning', reason: warning });
  obeySignals(node, (signal) => {
    const grace = formatDuration(options.stopGraceMs);
    const reason = `Got ${signal}: ending in order, with up to ${grace} for the command. The same again kills it`;
    log.info({ event: 'stopping', reason });
  });
  rehearseOnceStandingBy(node, (reason) => {
    log.warn({ event: 'warning', reason });
  });
  const order = await node.ended;
  const { exitCode } = order;
  const reason = `Ends with exit code ${String(exitCode)}: ${order.reason}`;
  log.info({ event: 'exit', exitCode, reason });
  process.exitCode = order.exitCode;
  if (order.exitCode === LEASE_HELD.exitCode) {
    throw new FailoverError('FAILOVER_LEASE_HELD', `Cannot be primary: ${order.reason}`, {
      details: { group },
    });
  }
}

const LEASE_HELD = ERRORS.FAILOVER_LEASE_HELD;

/** How long a node that stands by is left alone before it rehearses, ms. */
const REHEARSAL_DELAY_MS = 250;

/** Once it has succeeded, and not while the node starts: then others may be starting too. */
function rehearseOnceStandingBy(node: FailoverNode, warn: (reason: string) => void): void {
  const onTransition = ({ to }: NodeTransition): void => {
    if (to !== 'watching') return;
    node.off('transition', onTransition);
    const rehearse = (): void => {
      node.rehearse().catch((error: unknown) => {
        warn(`could not rehearse a promotion: ${messageOf(error)}`);
        node.on('transition', onTransition);
      });
    };
    setTimeout(rehearse, REHEARSAL_DELAY_MS).unref();
  };
  node.on('transition', onTransition);
}

/** The first request to end is graceful, the second is not. */
function obeySignals(node: FailoverNode, onFirst: (signal: string) => void): void {
  let asked = false;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const reason = asked ? `${signal}, for the second time` : signal;
      if (!asked) onFirst(signal);
      node.stop({ reason, immediate: asked });
      asked = true;
    });
  }
  process.on('SIGTSTP', () => {
    node.suspend();
  });
}

function startWarnings(options: RunOptions): readonly string[] {
  const warnings = [...commandWarnings(options.command)];
  const other = otherDefaultStateDir();
  if (options.stateDir === null && other !== null && existsSync(join(other, options.group))) {
    warnings.push(
      `group ${options.group} also exists in ${other}: nodes there and in ${defaultStateDir()} ` +
        'do not see each other. Give --state-dir to all of them.',
    );
  }
  return warnings;
}
