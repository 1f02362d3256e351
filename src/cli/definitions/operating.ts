// The commands for operators: what this machine offers, and how it is run as a service.
import type { Command } from 'commander';
import { withAdvice } from '../advised.ts';
import { loadRunOptions } from '../../config/load.ts';
import { OPTIONS, optionOf } from '../../config/options.ts';
import { addClient, addCommand, addOption, leaseServer, withDefault } from './definition.ts';
import { is, timeout } from './flags.ts';
import type { Flags } from './flags.ts';

export function addOperating(program: Command): void {
  addDoctor(program);
  addSystemd(program);
}

function addDoctor(program: Command): void {
  const command = addClient(program, {
    name: 'doctor',
    summary: 'check whether this machine can run a node',
    example: 'failover doctor --group web --lease redis://127.0.0.1:6379',
  }).addOption(leaseServer());
  for (const key of ['keyFile', 'authorizedKeys', 'secretFile']) addOption(command, optionOf(key));
  command
    .addOption(withDefault('--timeout <TIME>', 'Time limit for each check.', '2s'))
    .option('--json', 'Print one JSON object.')
    .action(async (flags: Flags) => {
      const { loadDoctorOptions } = await import('../../config/load-doctor.ts');
      const options = loadDoctorOptions({ flags, env: process.env });
      const { doctor } = await import('../commands/doctor.ts');
      try {
        await doctor({ ...options, ...timeout(flags), json: is(flags, 'json') });
      } catch (error) {
        throw withAdvice(error, options);
      }
    });
}

function addSystemd(program: Command): void {
  const command = addCommand(program, {
    name: 'systemd',
    summary: 'print a systemd unit that runs a node with these options',
    example:
      'failover systemd --group web -- node server.js > /etc/systemd/system/failover-web.service',
  });
  for (const option of OPTIONS) addOption(command, option);
  command
    .option('--user', "Print a unit for the user's own service manager.")
    .option('--run-as <NAME>', 'User to run the node as.')
    .option('--environment-file <PATH>', 'File with FAILOVER_LEASE and other secrets.')
    .argument('[command...]', 'the command and its arguments, after --')
    .usage('[options] [-- command args…]')
    .passThroughOptions()
    .action(async (words: string[], flags: Flags) => {
      const { systemd, unitFlags } = await import('../commands/systemd.ts');
      // Only what stands in the unit counts: its node does not see the environment of this shell.
      const options = loadRunOptions({ flags, env: {}, command: words });
      await systemd(options, { flags, ...unitFlags(flags) });
    });
}
