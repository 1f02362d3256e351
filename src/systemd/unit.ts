// The unit of systemd that runs a node: each setting with why it is so.
import { timingOf } from '../config/lease-timing.ts';
import { endsByItself, parseLease } from '../config/lease-url.ts';
import type { RunOptions } from '../config/load.ts';
import { assignment, execWord, pathValue } from './quote.ts';

export interface UnitParts {
  readonly options: RunOptions;
  /** Of `ExecStart=`: node, the launcher, `run`, its flags and the command. */
  readonly words: readonly string[];
  readonly workingDirectory: string;
  /** What the command is found by, and all that it starts. */
  readonly path: string | null;
  /** A unit of the user's own manager. */
  readonly isOfUser: boolean;
  /** Null: the manager's own, or root. */
  readonly runAs: string | null;
  readonly environmentFile: string | null;
  /** Why the node could not tell its manager anything; null: it can. */
  readonly lackOfNotifier: string | null;
}

/** The text of a unit. @throws FAILOVER_USAGE for a word that no unit can have */
export function unitOf(parts: UnitParts): string {
  return [header(parts), service(parts), install(parts)].join('\n');
}

/** What it is called, without `.service`. */
export function unitNameOf({ group }: RunOptions): string {
  return `failover-${group}`;
}

function header({ options, isOfUser }: UnitParts): string {
  const name = unitNameOf(options);
  const [place, reload] = isOfUser
    ? [`~/.config/systemd/user/${name}.service`, 'systemctl --user daemon-reload']
    : [`/etc/systemd/system/${name}.service`, 'systemctl daemon-reload'];
  const enable = `${reload.replace('daemon-reload', 'enable')} --now ${name}`;
  return `# A node of the group ${options.group}, written by \`failover systemd\`.
# Save it as ${place}, then: ${reload} && ${enable}
[Unit]
Description=failover: a node of the group ${options.group}
${isOfUser ? '' : NETWORK}# A node that cannot lead today goes on trying: no number of starts is the last.
StartLimitIntervalSec=0
`;
}

/** The manager of a user knows no such target. */
const NETWORK = 'After=network-online.target\nWants=network-online.target\n';

function service(parts: UnitParts): string {
  const { words, workingDirectory, path, runAs, environmentFile } = parts;
  const lines = [
    '[Service]',
    ...readiness(parts),
    `ExecStart=${words.map(execWord).join(' ')}`,
    `WorkingDirectory=${pathValue(workingDirectory)}`,
    ...(path === null ? [] : [`Environment=${assignment('PATH', path)}`]),
    ...(environmentFile === null
      ? []
      : [
          '# FAILOVER_LEASE and what else is not for all to read: mode 0600.',
          `EnvironmentFile=${pathValue(environmentFile)}`,
        ]),
    ...(runAs === null ? [] : [`User=${pathValue(runAs)}`]),
    '',
    ...directories(parts),
    '',
    ...ends(parts),
    '',
    ...limits(parts),
    ...(parts.isOfUser ? [] : ['', ...hardening(parts)]),
  ];
  return `${lines.join('\n')}\n`;
}

/** By whom the manager hears that the node takes part. */
function readiness({ lackOfNotifier }: UnitParts): readonly string[] {
  if (lackOfNotifier === null) {
    return [
      '# Ready: the node takes part, whether or not it leads. It says so itself, and nobody else may.',
      'Type=notify',
      'NotifyAccess=main',
    ];
  }
  return [
    '# Not Type=notify, and no WatchdogSec=: where this was written, a node could not tell its manager anything',
    `# (${lackOfNotifier}), and would be ended while it is well.`,
    'Type=exec',
  ];
}

/** In /var/lib and /run. One of each user: the manager gives what is in it to whoever it starts. */
export function directoryName(runAs: string | null): string {
  return runAs === null ? 'failover' : `failover-${runAs}`;
}

function directories({ options, isOfUser, runAs }: UnitParts): readonly string[] {
  const name = directoryName(runAs);
  if (isOfUser) return ['# State and sockets are where this user has them: no setting is needed.'];
  const own = [
    options.stateDir === null
      ? '# The lease, epochs and records. Not in a directory of each unit: all nodes of a group share it.'
      : '# What a node keeps for itself where its --state-dir is shared with other machines.',
    `StateDirectory=${name}`,
    'StateDirectoryMode=0700',
  ];
  const sockets = [
    '# Sockets. They outlive this unit, for the directory is that of all nodes of this user.',
    `RuntimeDirectory=${name}`,
    'RuntimeDirectoryMode=0700',
    'RuntimeDirectoryPreserve=yes',
  ];
  if (runAs === null) return [...own, ...sockets];
  return [
    ...own,
    '# In place of a home that this user may not have.',
    `Environment=${assignment('XDG_STATE_HOME', `/var/lib/${name}`)}`,
    ...sockets,
    `Environment=${assignment('XDG_RUNTIME_DIR', `/run/${name}`)}`,
  ];
}

/** How it ends, and when it is started again. */
function ends(parts: UnitParts): readonly string[] {
  return [
    '# SIGTERM goes to the node alone: it stops its command gracefully, hands over, and exits.',
    '# Not KillMode=mixed: when a node dies that kills its command without --stop-grace, and the guard',
    '# of a lease on a server, which would give the lease back. What a node leaves behind is told by the',
    '# kernel to stop, and emptied by the next node before anything starts.',
    'KillMode=process',
    '# Longer than drain, demote command and grace of the command together.',
    `TimeoutStopSec=${seconds(stopMs(parts))}`,
    '# It may wait until an earlier node of its id is known to have ended.',
    'TimeoutStartSec=90s',
    '# 0 is an end that was asked for (`failover stop`) or the end of the work.',
    'Restart=on-failure',
    'RestartSec=1s',
    ...(parts.options.restart === 'never'
      ? [
          '# With --restart never the node ends with the exit code of its command, which may be any: none of',
          '# them can be told from one of failover, so there is no RestartPreventExitStatus=.',
        ]
      : [
          '# What no new start changes: usage or settings, the lease or the id is held, no such command.',
          'RestartPreventExitStatus=2 4 126 127',
        ]),
    ...(parts.lackOfNotifier === null ? WATCHDOG : []),
  ];
}

const WATCHDOG = [
  '# A hung node is found by the others within --heartbeat-timeout; this finds one that is alone.',
  'WatchdogSec=30s',
  '# The node could not exit gracefully; a core dump would only delay the next start.',
  'WatchdogSignal=SIGKILL',
];

function limits(parts: UnitParts): readonly string[] {
  return [
    '# A command that runs out of memory is started again by the node: the unit goes on.',
    'OOMPolicy=continue',
    '# Each node that connects takes some.',
    'LimitNOFILE=65536',
    ...(mayEndByItself(parts)
      ? [
          '# The guard that ends the command when the lease has ended must not wait for the CPU.',
          'LimitNICE=-20',
        ]
      : []),
  ];
}

/** Holds for the command too, so it is only what hardly any command needs. */
function hardening({ runAs }: UnitParts): readonly string[] {
  return [
    '# What hardly any command needs. It holds for the command as well: take out what yours does need.',
    ...(runAs === null
      ? []
      : ['# With User= they imply NoNewPrivileges=: the command cannot use sudo.']),
    'ProtectControlGroups=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'LockPersonality=yes',
    '# Not: PrivateTmp=, PrivateUsers=, PrivatePIDs=, ProtectProc=, ProcSubset=. Nodes of one group look at each',
    "# other: at the processes of their user in /proc, at its /proc/pressure, and at each other's sockets.",
    '# RestrictAddressFamilies= would have to name AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK.',
  ];
}

/** Which lease it is may be said in the file alone. */
function mayEndByItself({ options, environmentFile }: UnitParts): boolean {
  return endsByItself(parseLease(options.lease)) || environmentFile !== null;
}

/** How long an end in order may take, ms. */
function stopMs(parts: UnitParts): number {
  const { options } = parts;
  const { drainMs, demoteTimeoutMs, stopGraceMs } = options;
  const timing = mayEndByItself(parts) ? timingOf(options) : null;
  // Where its server is gone, the lease ends by itself before the node does.
  const leaseMs = timing === null ? 0 : timing.leaseTtlMs + timing.leaseRequestTimeoutMs;
  return Math.max(drainMs, PROXY_DRAIN_MS) + demoteTimeoutMs + stopGraceMs + leaseMs + SPARE_MS;
}

/** What is under way in proxies is waited for, for as long as this without --drain. */
const PROXY_DRAIN_MS = 5_000;
const SPARE_MS = 5_000;

function seconds(durationMs: number): string {
  return `${String(Math.ceil(durationMs / 1e3))}s`;
}

function install({ isOfUser }: UnitParts): string {
  return `[Install]\nWantedBy=${isOfUser ? 'default.target' : 'multi-user.target'}\n`;
}
