// What to tell a user whose command starts work that we can neither see nor end.

/**
 * Sentences on a command that hands its work to somebody else's process, or takes itself out of our
 * sight; each names the remedy. Empty for most. A guess by names: it forbids nothing.
 */
export function commandWarnings(command: readonly string[]): string[] {
  const written = shellWords(command);
  const words = withoutWrappers(written);
  const [program, ...rest] = words;
  if (program === undefined) return [];
  const name = baseName(program);
  const warning = RULES.find((rule) => rule.matches(name, rest))?.warning(name, rest);
  return [...wrapperWarnings(written), ...(warning === undefined ? [] : [warning])];
}

interface Rule {
  readonly matches: (name: string, rest: readonly string[]) => boolean;
  readonly warning: (name: string, rest: readonly string[]) => string;
}

const CONTAINER_ENGINES = ['docker', 'podman', 'nerdctl'];

/** A later rule is looked at only when no earlier one fits. */
const RULES: readonly Rule[] = [
  {
    matches: (name, rest) => CONTAINER_ENGINES.includes(name) && firstWord(rest) === 'compose',
    warning: (name) =>
      outside(`${name} compose`, 'its containers', `--demote-command '${name} compose down'`),
  },
  {
    matches: (name, rest) =>
      CONTAINER_ENGINES.includes(name) && ['run', 'start', 'exec'].includes(firstWord(rest) ?? ''),
    warning: (name, rest) =>
      outside(
        `${name} ${firstWord(rest) ?? ''}`,
        'the container',
        `a fixed --name and --demote-command '${name} rm -f NAME', and the same before it in --promote-command`,
      ),
  },
  {
    matches: (name, rest) =>
      ['docker-compose', 'podman-compose'].includes(name) && firstWord(rest) === 'up',
    warning: (name) => outside(name, 'its containers', `--demote-command '${name} down'`),
  },
  {
    matches: (name, rest) =>
      name === 'systemctl' && ['start', 'restart'].includes(firstWord(rest) ?? ''),
    warning: () => outside('systemctl start', 'the unit', `--demote-command 'systemctl stop UNIT'`),
  },
  {
    matches: (name) => name === 'service' || name === 'rc-service',
    warning: (name) => outside(name, 'the service', `--demote-command '${name} NAME stop'`),
  },
  {
    matches: (name, rest) => name === 'systemd-run' && !rest.includes('--scope'),
    warning: () =>
      outside(
        'systemd-run',
        'the unit',
        `--demote-command 'systemctl stop UNIT' and a fixed --unit`,
      ),
  },
  {
    matches: (name, rest) =>
      ['kubectl', 'oc'].includes(name) &&
      ['run', 'apply', 'create', 'scale'].includes(firstWord(rest) ?? ''),
    warning: (name) => outside(name, 'what it creates', `--demote-command '${name} delete …'`),
  },
  {
    matches: (name) => ['at', 'batch', 'crontab'].includes(name),
    warning: (name) => outside(name, 'the job', 'the command itself, without a scheduler'),
  },
  {
    matches: (name, rest) =>
      ['ssh', 'mosh'].includes(name) && rest.some((word) => !word.startsWith('-')),
    warning: (name) =>
      outside(name, 'the remote command', 'a --demote-command that ends it on the other host'),
  },
  {
    matches: (name, rest) => ['tmux', 'screen', 'dtach'].includes(name) && rest.length > 0,
    warning: (name) => outside(name, 'the session', 'the command itself, without a multiplexer'),
  },
  {
    matches: (name, rest) => ['pm2', 'forever', 'supervisorctl'].includes(name) && rest.length > 0,
    warning: (name) => outside(name, 'the process', 'the command itself, without a second manager'),
  },
  {
    matches: (name, rest) => daemonFlag(name, rest) !== null,
    warning: (name, rest) =>
      `\`${`${name} ${daemonFlag(name, rest) ?? ''}`.trim()}\` puts itself in the background and looks ended at once: ` +
      `use ${FOREGROUND[name] ?? 'its option to stay in the foreground'}.`,
  },
];

function outside(command: string, work: string, remedy: string): string {
  return (
    `\`${command}\` only asks another process to do the work: ${work} outlives this command, and failover ` +
    `can neither see nor end it. Use ${remedy}.`
  );
}

/** Programs that run another one in their place. */
const WRAPPERS = [
  'nohup',
  'setsid',
  'sudo',
  'doas',
  'env',
  'exec',
  'nice',
  'ionice',
  'stdbuf',
  'time',
];

/** The command behind its wrappers, their options and assignments. */
function withoutWrappers(words: readonly string[]): readonly string[] {
  let rest = words;
  while (isWrapper(rest)) rest = withoutFirstWrapper(rest);
  return rest;
}

function wrapperWarnings(words: readonly string[]): string[] {
  const warnings: string[] = [];
  for (let rest = words; isWrapper(rest); rest = withoutFirstWrapper(rest)) {
    const warning = WRAPPER_WARNINGS[baseName(rest[0] ?? '')];
    if (warning !== undefined) warnings.push(warning);
  }
  return warnings;
}

function isWrapper(words: readonly string[]): boolean {
  return WRAPPERS.includes(baseName(words[0] ?? ''));
}

function withoutFirstWrapper(words: readonly string[]): readonly string[] {
  const rest = words.slice(1);
  const next = rest.findIndex((word) => !/^-|^[A-Za-z_]\w*=/.test(word));
  return next < 0 ? [] : rest.slice(next);
}

const WRAPPER_WARNINGS: Readonly<Record<string, string>> = {
  nohup:
    '`nohup` is not needed: failover starts the command in a session of its own. Leave it out.',
  setsid:
    '`setsid` takes the command out of the session that failover watches. Leave it out: it gets one of its own.',
  sudo: '`sudo` closes the lock that the command inherits and drops the signal at the death of its supervisor. Run failover itself as that user.',
  doas: '`doas` closes the lock that the command inherits and drops the signal at the death of its supervisor. Run failover itself as that user.',
};

/** Options that put a well-known server in the background. */
const DAEMON_FLAGS: Readonly<Record<string, readonly string[]>> = {
  memcached: ['-d', '--daemon'],
  mongod: ['--fork'],
  haproxy: ['-D'],
  gunicorn: ['-D', '--daemon'],
  uwsgi: ['--daemonize', '-d'],
  celery: ['--detach', '-D'],
  stunnel: ['-D'],
  unicorn: ['-D', '--daemonize'],
  puma: ['-d', '--daemon'],
  rsync: ['--daemon'],
};

/** Servers that go to the background unless they are told not to. */
const FOREGROUND: Readonly<Record<string, string>> = {
  nginx: `\`nginx -g 'daemon off;'\``,
  sshd: '`sshd -D`',
  apachectl: '`apachectl -D FOREGROUND`',
  rsync: '`rsync --daemon --no-detach`',
  pg_ctl: '`postgres` itself',
};

const ANYWHERE_FLAGS = ['--daemonize', '--daemon', '--detach', '--background'];

/** The option that sends it to the background; empty text: it goes there by itself; null: it stays. */
function daemonFlag(name: string, rest: readonly string[]): string | null {
  const known = DAEMON_FLAGS[name] ?? [];
  if (rest.includes('--no-detach') || isOff(rest)) return null;
  const flag = rest.find((word) => known.includes(word) || ANYWHERE_FLAGS.includes(word));
  if (flag !== undefined) return flag;
  if (name === 'nginx' && !rest.some((word) => /daemon\s+off/.test(word) || /^-[tTvVs]/.test(word)))
    return '';
  if (name === 'sshd' && !rest.some((word) => /^-[dDt]+$/.test(word))) return '';
  if (name === 'apachectl' && !rest.some((word) => word.includes('FOREGROUND'))) return '';
  if (name === 'pg_ctl' && firstWord(rest) === 'start') return 'start';
  return null;
}

/** `--daemonize no`, as redis-server has it. */
function isOff(rest: readonly string[]): boolean {
  return rest.some((word, index) => word === '--daemonize' && rest[index + 1] === 'no');
}

/** The words of `sh -c 'one simple command'`; a longer script is not looked into. */
function shellWords(command: readonly string[]): readonly string[] {
  const [program, option, script] = command;
  const isShell = ['sh', 'bash', 'dash', 'zsh', 'ash'].includes(baseName(program ?? ''));
  if (!isShell || option !== '-c' || script === undefined) return command;
  return /[;&|\n`$(]/.test(script) ? command : script.trim().split(/\s+/);
}

function firstWord(words: readonly string[]): string | undefined {
  return words.find((word) => !word.startsWith('-'));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
