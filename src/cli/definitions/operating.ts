// The commands for who operates it: what this machine offers, and how it is run as a service.
import type { Command } from 'commander';
import { withAdvice } from '../advised.ts';
import { optionOf } from '../../config/options.ts';
import { addClient, addOption, leaseServer, withDefault } from './definition.ts';
import { is, timeout } from './flags.ts';
import type { Flags } from './flags.ts';

export function addOperating(program: Command): void {
  addDoctor(program);
}

function addDoctor(program: Command): void {
  const command = addClient(program, {
    name: 'doctor',
    summary: 'look at what this machine offers a node, and say what to do about it',
    example: 'failover doctor --group web --lease redis://127.0.0.1:6379',
  }).addOption(leaseServer());
  for (const key of ['keyFile', 'authorizedKeys', 'secretFile']) addOption(command, optionOf(key));
  command
    .addOption(withDefault('--timeout <TIME>', 'How long each check may take.', '2s'))
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
