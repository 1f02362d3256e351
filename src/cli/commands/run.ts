// `failover run`: one node in this process, until it is told to stop or has nothing left to do.
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatDuration } from '../../config/duration.ts';
import { endsByItself, parseLease } from '../../config/lease-url.ts';
import type { RunOptions } from '../../config/load.ts';
import { optionOf } from '../../config/options.ts';
import { defaultStateDir, otherDefaultStateDir } from '../../config/state-dir.ts';
import { longestGraceMs } from '../../core/lease-term.ts';
import type { Settings } from '../../core/settings.ts';
import { FailoverError } from '../../errors.ts';
import { FailoverNode } from '../../runtime/failover-node.ts';
import { commandWarnings } from '../../workload/warnings.ts';
import { exitWithCode, killUnlessEnded } from '../ending.ts';
import { IdWait } from '../id-wait.ts';
import { whenOutputIsLost } from '../output.ts';
import { createLogger } from '../render/log.ts';
import type { Logger } from '../render/log.ts';
import type { RunHttp } from '../run-http.ts';
import type { RunProxy } from '../run-proxy.ts';
import { RunService } from '../run-service.ts';
import { openService } from '../service.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a person may have set for `run` although it does not read it, for `run` gives both to its command and
 * its hooks: one sentence each, unless the flag says otherwise or it makes no difference. Where they are what
 * another node gave, one sentence says that.
 */
export function ignoredVariables(
  { group, stateDir }: Pick<RunOptions, 'group' | 'stateDir'>,
  env: Environment,
  usedByDefault: string = defaultStateDir(),
): readonly string[] {
  const named = env['FAILOVER_GROUP'] ?? '';
  const otherGroup = named !== '' && named !== group && group === optionOf('group').default;
  const directory = env['FAILOVER_STATE_DIR'] ?? '';
  const otherDirectory =
    directory !== '' && stateDir === null && realPath(directory) !== realPath(usedByDefault);
  if (!otherGroup && !otherDirectory) return [];
  if (isNested(env)) {
    return [
      `this node was started by the command of group ${named}, but run does not read FAILOVER_GROUP and FAILOVER_STATE_DIR. It joins group ${group} in ${stateDir ?? usedByDefault}; use --group and --state-dir to choose another.`,
    ];
  }
  const warnings: string[] = [];
  if (otherGroup) {
    warnings.push(`run does not read FAILOVER_GROUP: to join that group, use --group ${named}.`);
  }
  if (otherDirectory) {
    warnings.push(
      `run does not read FAILOVER_STATE_DIR: to use that directory, use --state-dir ${directory}.`,
    );
  }
  return warnings;
}

/** Both are set only in what a node has started. */
function isNested(env: Environment): boolean {
  return (env['FAILOVER_GROUP'] ?? '') !== '' && (env['FAILOVER_LOCK_FD'] ?? '') !== '';
}

/** A node is told the real path of its directory; one that is not there yet has none. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** Runs a node; the exit code of the process is that of the node's end. */
export async function run(options: RunOptions): Promise<void> {
  // What it keeps active is worth more than the reader of its messages.
  whenOutputIsLost(() => undefined);
  const suspend = (): void => {
    process.kill(process.pid, 'SIGSTOP');
  };
  // What writes the log is loaded before anything is opened: where that fails, nothing is left running.
  const early = loggerOf(options, options.node ?? '');
  const warn = (reason: string): void => {
    early.warn({ event: 'warning', reason });
  };
  // Before anything is started: what is started must not find it.
  const manager = await openService(process.env, warn);
  const service = manager === null ? null : new RunService(manager, options.group);
  const proxy = await proxyOf(options);
  const http = await httpOf(options, proxy);
  const wait = new IdWait((reason) => {
    service?.waits(reason);
    warn(reason);
  });
  const node = await startNode(options, { suspend, wait, proxy, http });
  if (node === null) return;
  let log: Logger;
  try {
    log = loggerOf(options, node.settings.nodeId);
    begin(options, { node, log, http, service });
  } catch (error) {
    await endAgain(node, { proxy, http });
    throw error;
  }
  if (wait.endedBy !== null) node.stop({ reason: wait.endedBy });
  // It says itself what it can't do.
  void proxy?.follow();
  const order = await node.ended;
  await proxy?.end(order);
  await http?.close();
  const { exitCode } = order;
  const reason = `Exited with code ${String(exitCode)}: ${order.reason}`;
  log.info({ event: 'exit', exitCode, reason });
  process.exitCode = order.exitCode;
  exitWithCode();
  // What could not be closed may keep the process, and with it the lease.
  if (node.isBroken || parseLease(options.lease).kind === 'timed-file') killUnlessEnded();
  if (node.idTaken !== null) throw node.idTaken;
  if (order.cause === 'lease-held') {
    throw new FailoverError('FAILOVER_LEASE_HELD', `Cannot be primary: ${order.reason}`, {
      details: { group: options.group },
    });
  }
}

interface BeginParts {
  readonly node: FailoverNode;
  readonly log: Logger;
  readonly http: RunHttp | null;
  readonly service: RunService | null;
}

/** From here on it answers, says what it does, and obeys signals. */
function begin(options: RunOptions, { node, log, http, service }: BeginParts): void {
  http?.serve(node);
  service?.serve(node);
  const { group } = options;
  node.on('transition', ({ from, to, role, epoch, reason, takeover, time }) => {
    // For people the line about the exit says it.
    if (to === 'stopped' && options.logFormat === 'pretty') return;
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
  const listening = listeningText(node);
  if (listening !== null) log.info({ event: 'listening', reason: listening });
  if (http !== null) log.info({ event: 'http', reason: `Serving HTTP at ${http.url}` });
  const lease = leaseText(options, node.settings);
  if (lease !== null) log.info({ event: 'lease', reason: lease });
  for (const warning of startWarnings(options)) log.warn({ event: 'warning', reason: warning });
  obeySignals(node, (signal, isFirst) => {
    const reason = isFirst
      ? firstSignalText(signal, runsCommand(node) ? options.stopGraceMs : null)
      : `Got ${signal} again: killing what still runs without waiting for a graceful exit`;
    log[isFirst ? 'info' : 'warn']({ event: 'stopping', reason });
    service?.stops(reason);
  });
}

/** What has joined must not run on without obeying anybody. */
async function endAgain(
  node: FailoverNode,
  { proxy, http }: Pick<StartParts, 'proxy' | 'http'>,
): Promise<void> {
  node.stop({ reason: 'The node could not be set up', immediate: true });
  await node.ended;
  await proxy?.end({ immediate: true });
  await http?.close();
}

/** Loaded where one was asked for. */
async function proxyOf(options: RunOptions): Promise<RunProxy | null> {
  if (options.proxy === null) return null;
  const { openRunProxy } = await import('../run-proxy.ts');
  return openRunProxy(options, options.proxy);
}

/** Loaded where it was asked for. What was opened before is closed where it can't be had. */
async function httpOf(options: RunOptions, proxy: RunProxy | null): Promise<RunHttp | null> {
  if (options.http === null) return null;
  try {
    const { openRunHttp } = await import('../run-http.ts');
    return await openRunHttp(options, options.http, (reason) => {
      loggerOf(options, options.node ?? '').warn({ event: 'warning', reason });
    });
  } catch (error) {
    await proxy?.end({ immediate: true });
    throw error;
  }
}

interface StartParts {
  readonly suspend: () => void;
  readonly wait: IdWait;
  readonly proxy: RunProxy | null;
  readonly http: RunHttp | null;
}

/** Null: a signal has ended the wait for its id. */
async function startNode(
  options: RunOptions,
  { suspend, wait, proxy, http }: StartParts,
): Promise<FailoverNode | null> {
  try {
    return await FailoverNode.start(options, {
      ...{ suspend, ownsProcess: true, onIdWait: wait.begin },
      ...(http === null ? {} : { onStep: http.onStep }),
    });
  } catch (error) {
    await proxy?.end({ immediate: true });
    await http?.close();
    if (wait.endedBy === null) throw error;
    const reason = `Exited with code 0: ${wait.endedBy}`;
    loggerOf(options, options.node ?? '').info({ event: 'exit', exitCode: 0, reason });
    return null;
  } finally {
    wait.end();
  }
}

function loggerOf({ group, logFormat, quiet }: RunOptions, node: string): Logger {
  return createLogger({ format: logFormat, quiet, stream: process.stderr, node, group });
}

/** The first request to end is graceful, the second is not; what comes after it changes nothing. */
function obeySignals(
  node: FailoverNode,
  onSignal: (signal: string, isFirst: boolean) => void,
): void {
  let count = 0;
  let isOver = false;
  void node.ended.then(() => {
    isOver = true;
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      count += 1;
      if (count > 2 || isOver) return;
      onSignal(signal, count === 1);
      const reason = count === 1 ? signal : `${signal}, second time`;
      node.stop({ reason, immediate: count > 1 });
    });
  }
  process.on('SIGTSTP', () => {
    node.suspend();
  });
  process.on('SIGCONT', () => {
    node.withdrawSuspension();
  });
}

/** What a person has to know of a lease that is not that of the files; null: it is. */
export function leaseText({ lease, stopGraceMs }: RunOptions, settings: Settings): string | null {
  const address = parseLease(lease);
  if (address.kind === 'static') return `Only ${address.node} may lead (--lease)`;
  if (!endsByItself(address)) return null;
  const graceMs = longestGraceMs(settings);
  const cut =
    graceMs < stopGraceMs
      ? `; if the lease is lost, the command has ${formatDuration(graceMs)} to exit gracefully, not ${formatDuration(stopGraceMs)}: for more time, raise --lease-ttl`
      : '';
  const where = address.kind === 'peers' ? 'agreed among the nodes' : `in ${address.shown}`;
  return `The lease is ${where} for ${formatDuration(settings.leaseTtlMs)} at a time${cut}`;
}

/** Where other machines find it, for whoever writes their settings; null: they don't. */
export function listeningText({
  remoteEndpoints,
}: Pick<FailoverNode, 'remoteEndpoints'>): string | null {
  if (remoteEndpoints === null) return null;
  const { bus, rpc, key } = remoteEndpoints;
  const secured = key === undefined ? 'without encryption' : `as ${key}`;
  return `Other machines reach this node at ${bus} (requests: ${rpc}), ${secured}`;
}

/** What there is to be waited for, or killed. */
function runsCommand(node: FailoverNode): boolean {
  // Not its whole status, which looks at files: a process that can open none is to heed its signals all the same.
  const { pid, state } = node.sight().workload;
  return pid !== null && state !== 'armed';
}

/** With the grace of the command, ms; null: there is none that runs. */
function firstSignalText(signal: string, graceMs: number | null): string {
  if (graceMs === null) return `Got ${signal}: shutting down gracefully`;
  const grace = formatDuration(graceMs);
  return `Got ${signal}: shutting down gracefully (up to ${grace} for the command). Send it again to kill at once`;
}

function startWarnings(options: RunOptions): readonly string[] {
  const warnings = [...ignoredVariables(options, process.env), ...commandWarnings(options.command)];
  const other = otherDefaultStateDir();
  if (options.stateDir === null && other !== null && existsSync(join(other, options.group))) {
    warnings.push(
      `group ${options.group} also exists in ${other}: nodes there and in ${defaultStateDir()} do not see each other. Set --state-dir on all of them.`,
    );
  }
  return warnings;
}
