// `failover up`: a node of each group of a file, all in this process, until all have ended.
import { loadGroupFile } from '../../config/group-file/load-group-file.ts';
import type { GroupFile } from '../../config/group-file/load-group-file.ts';
import { nearest } from '../../config/group-file/keys.ts';
import { parseLease } from '../../config/lease-url.ts';
import { OptionReader } from '../../config/option-reader.ts';
import { quoted } from '../../config/quoted.ts';
import { redactUrl } from '../../config/refused-url.ts';
import { FailoverError } from '../../errors.ts';
import { readTokenFile } from '../../keys/key-files.ts';
import { networkOf } from '../../runtime/network.ts';
import { defaultRuntimeDir } from '../../config/state-dir.ts';
import { Transport } from '../../transport/bus.ts';
import { useOptimizer } from '../compilers.ts';
import { exitWithCode, killUnlessEnded } from '../ending.ts';
import { whenOutputIsLost } from '../output.ts';
import { createLogger } from '../render/log.ts';
import type { Logger } from '../render/log.ts';
import { takeHangUp } from '../up/early-hang-up.ts';
import { Fleet } from '../up/fleet.ts';
import { Reloading } from '../up/reloading.ts';
import type { UpHttp } from '../up/http.ts';
import { obeySignals } from '../up/signals.ts';
import { refuseUnready } from '../up/unready.ts';
import { tellOfGroups } from '../up/up-service.ts';
import { ignoredVariables, listeningText } from './run.ts';
import { table } from '../render/table.ts';
import { say } from '../say.ts';
import { openService } from '../service.ts';

/** What the command was told. */
export interface UpOptions {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Null: all groups of the file. */
  readonly only: readonly string[] | null;
}

/** Prints what is in the file. @throws as `loadGroupFile` and `refuseUnready`, and FAILOVER_BAD_KEY_FILE */
export async function check(told: UpOptions): Promise<void> {
  const { path, groups, shown, common } = readFile(told);
  // Its keys and secrets are read as at the start.
  networkOf(common);
  if (common.httpTokenFile !== null) readTokenFile(common.httpTokenFile);
  await refuseUnready(path, groups.values());
  const rows = [...groups].map(([name, { command, lease, standby }]) => [
    name,
    parseLease(lease).shown,
    standby,
    `${shownCommand(shown.get(name) ?? [])}${command.length > 0 ? '' : ' (promoteCommand)'}`,
  ]);
  const count = groups.size === 1 ? '1 group' : `${String(groups.size)} groups`;
  say(`${path} is valid: ${count}`);
  for (const line of table([['group', 'lease', 'standby', 'command'], ...rows])) say(line);
}

/** One line, cut where it is long. What is put in for variables is not shown: it may be secret. */
function shownCommand(command: readonly string[]): string {
  const line = command
    .map((word) => (word.includes('://') ? redactUrl(word) : word))
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`))
    .join(' ');
  return line.length > COMMAND_LIMIT ? `${line.slice(0, COMMAND_LIMIT)}…` : line;
}

const COMMAND_LIMIT = 80;

/** The groups that are to run. @throws as `loadGroupFile`, and for a name that is in no group's place */
function readFile({ flags, env, only }: UpOptions, isAgain = false): GroupFile {
  const path = new OptionReader({ flags, env }, 'run').text('file') ?? '';
  const file = loadGroupFile({ path, flags, env, isAgain });
  if (only === null) return file;
  const names = [...file.groups.keys()];
  for (const name of only) if (!file.groups.has(name)) throw noGroup(name, path, names);
  const groups = new Map([...file.groups].filter(([name]) => only.includes(name)));
  return { ...file, groups };
}

function noGroup(name: string, path: string, names: readonly string[]): FailoverError {
  const near = nearest(name, names);
  const hint =
    near === null
      ? `Choose from ${names.slice(0, NAMED).join(', ')}.`
      : `Did you mean \`${near}\`?`;
  return new FailoverError(
    'FAILOVER_USAGE',
    `Cannot use --only ${quoted(name)}: ${path} has no such group`,
    { hint },
  );
}

/** The most that a hint names. */
const NAMED = 20;

/** Runs them; the exit code of the process is that of the first group that did not end in order. */
export async function up(told: UpOptions): Promise<void> {
  const file = readFile(told);
  // A thousand groups beat two thousand times a second.
  useOptimizer();
  // What it keeps active is worth more than the reader of its messages.
  whenOutputIsLost(() => undefined);
  // Each group may pass its output on to them.
  for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
  const { logFormat: format, quiet } = file.common;
  const log = createLogger({
    ...{ format, quiet, stream: process.stderr, node: '', group: '*' },
    showsGroup: true,
  });
  const { common } = file;
  // Before anything is started: what is started must not find it.
  const service = await openService(process.env, (reason) => {
    log.warn({ event: 'warning', reason });
  });
  const http = await httpOf(common, log);
  let transport: Transport | null = null;
  try {
    transport = new Transport({ directory: defaultRuntimeDir(), ...networkOf(common) });
    tellOfStart(file, { transport, http, log });
    const { prefix } = file;
    const listener = http?.listener ?? null;
    const onRetry = tellOfRetry(file.common);
    const fleet = new Fleet(file.groups.values(), { transport, prefix, listener, onRetry });
    http?.serve({ fleet, transport });
    if (service !== null) tellOfGroups(service, fleet);
    const onTaken = (): void => http?.changed();
    const reloading = new Reloading({
      fleet,
      file,
      read: () => readFile(told, true),
      log,
      onTaken,
    });
    obeySignals({ fleet, reloading, log });
    // Of the file as it was read, or of a later one.
    if (takeHangUp()) void reloading.reload();
    const exitCode = await fleet.ended;
    log.info({ event: 'exit', exitCode, reason: `Exited with code ${String(exitCode)}` });
    process.exitCode = exitCode;
  } finally {
    await http?.close();
    await transport?.close();
  }
  exitWithCode();
  const leases = [...file.groups.values()].map(({ lease }) => parseLease(lease).kind);
  if (leases.includes('timed-file')) killUnlessEnded();
}

/** Loaded where it was asked for. @throws as `openUpHttp` */
async function httpOf(common: GroupFile['common'], log: Logger): Promise<UpHttp | null> {
  if (common.http === null) return null;
  const { openUpHttp } = await import('../up/http.ts');
  return openUpHttp(common, common.http, (reason) => {
    log.warn({ event: 'warning', reason });
  });
}

/** In the words of the group. */
function tellOfRetry({
  logFormat: format,
  quiet,
}: GroupFile['common']): (group: string, waitMs: number) => void {
  return (group, waitMs) => {
    const about = { format, quiet, stream: process.stderr, node: '', group, showsGroup: true };
    const seconds = Math.max(1, Math.round(waitMs / 1000));
    const reason = `Retrying in ${String(seconds)} s`;
    createLogger(about).info({ event: 'retry', reason, waitMs: Math.round(waitMs) });
  };
}

interface StartParts {
  readonly transport: Transport;
  readonly http: UpHttp | null;
  readonly log: Logger;
}

function tellOfStart(
  { path, common, groups }: GroupFile,
  { transport, http, log }: StartParts,
): void {
  const count = groups.size === 1 ? '1 group' : `${String(groups.size)} groups`;
  log.info({ event: 'up', reason: `Starting ${count} from ${path}`, pid: process.pid });
  const listening = listeningText(transport);
  if (listening !== null) log.info({ event: 'listening', reason: listening });
  if (http !== null) log.info({ event: 'http', reason: `Serving HTTP at ${http.url}` });
  // Each group has a name of its own here, whatever the variable says.
  const told = { group: process.env['FAILOVER_GROUP'] ?? '', stateDir: common.stateDir };
  for (const reason of ignoredVariables(told, process.env)) log.warn({ event: 'warning', reason });
}
