// `failover systemd`: prints a unit that runs a node as `failover run` would with the same options.
import { resolve } from 'node:path';
import { isOnServer, parseLease } from '../../config/lease-url.ts';
import type { RunOptions } from '../../config/load.ts';
import { OPTIONS } from '../../config/options.ts';
import { quoted } from '../../config/quoted.ts';
import { FailoverError } from '../../errors.ts';
import { packageFile } from '../../package-file.ts';
import { lackOfNotifier } from '../../systemd/notifier.ts';
import { directoryName, unitNameOf, unitOf } from '../../systemd/unit.ts';
import { resolveCommand } from '../../workload/command-path.ts';
import { note } from '../say.ts';

export interface UnitFlags {
  /** As they were given, by key: what was left to its default is left to it. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly isOfUser: boolean;
  readonly runAs: string | null;
  readonly environmentFile: string | null;
}

/** @throws FAILOVER_USAGE for what no unit can say, FAILOVER_COMMAND_NOT_FOUND */
export async function systemd(options: RunOptions, given: UnitFlags): Promise<void> {
  const { flags, isOfUser, runAs, environmentFile } = given;
  refusePassword(options);
  const [program, ...rest] = options.command;
  // The manager has another PATH than the shell in which this is written.
  const command = program === undefined ? [] : [resolveCommand(program, process.env), ...rest];
  const unit = unitOf({
    options,
    words: [
      ...[process.execPath, packageFile('bin/failover.js'), 'run'],
      ...flagWords(flags, { isOfUser, runAs, options }),
      ...(command.length === 0 ? [] : ['--', ...command]),
    ],
    workingDirectory: process.cwd(),
    path: process.env['PATH'] ?? null,
    ...{ isOfUser, runAs },
    environmentFile: environmentFile === null ? null : resolve(environmentFile),
    lackOfNotifier: await lackOfNotifier(),
  });
  process.stdout.write(unit);
  if (process.stdout.isTTY)
    note(`save it as ${unitNameOf(options)}.service; the first lines say where`);
}

/** The flags that are its own. @throws FAILOVER_BAD_OPTION, FAILOVER_USAGE for two that contradict each other */
export function unitFlags(
  flags: Readonly<Record<string, unknown>>,
): Pick<UnitFlags, 'isOfUser' | 'runAs' | 'environmentFile'> {
  const isOfUser = flags['user'] === true;
  const text = (key: string): string | null => (typeof flags[key] === 'string' ? flags[key] : null);
  const runAs = text('runAs');
  if (runAs !== null && !USER_NAME.test(runAs)) {
    throw new FailoverError(
      'FAILOVER_BAD_OPTION',
      `Cannot use --run-as: ${quoted(runAs)} is not a user`,
      {
        details: { option: '--run-as', expected: 'a user name or number' },
      },
    );
  }
  if (runAs !== null && isOfUser) {
    throw new FailoverError(
      'FAILOVER_USAGE',
      "Cannot write a unit with --user and --run-as: a user's service manager cannot start services as another user",
      { hint: 'Omit one of them.' },
    );
  }
  return { isOfUser, runAs, environmentFile: text('environmentFile') };
}

/** As systemd takes it. */
const USER_NAME = /^(?:[a-zA-Z_][\w-]{0,30}|\d{1,10})$/;

/** All may read a unit. */
function refusePassword({ lease }: RunOptions): void {
  const address = parseLease(lease);
  if (!isOnServer(address) || !lease.includes('@')) return;
  throw new FailoverError(
    'FAILOVER_USAGE',
    'Cannot write the password in --lease into a unit, which everyone can read',
    {
      hint: 'Put `FAILOVER_LEASE=…` into a file of mode 0600, omit --lease, and pass the file with --environment-file.',
    },
  );
}

/** In the order of the manual, as `--flag=value`: a value that begins with a hyphen is a value all the same. */
function flagWords(
  flags: UnitFlags['flags'],
  {
    isOfUser,
    runAs,
    options,
  }: Pick<UnitFlags, 'isOfUser' | 'runAs'> & { readonly options: RunOptions },
): readonly string[] {
  const words = OPTIONS.flatMap(({ key, flag }) => {
    const value = flags[key];
    if (value === true) return [flag];
    return typeof value === 'string' ? [`${flag}=${value}`] : [];
  });
  // What root has by itself.
  const needsPlace = !isOfUser && runAs !== null && options.stateDir === null;
  return needsPlace ? [...words, `--state-dir=/var/lib/${directoryName(runAs)}`] : words;
}
