// The commands of one node: what starts it, and what makes its key.
import type { Command } from 'commander';
import { loadRunOptions } from '../../config/load.ts';
import { OPTIONS } from '../../config/options.ts';
import { withAdvice } from '../advised.ts';
import { addCommand, addOption, withDefault } from './definition.ts';
import { is } from './flags.ts';
import type { Flags } from './flags.ts';

export function addRun(program: Command): void {
  const command = addCommand(program, {
    name: 'run',
    summary: 'start a node: its command is active while it is the primary',
    example: 'failover run --group web -- node server.js',
  });
  for (const option of OPTIONS) addOption(command, option);
  command
    .argument('[command...]', 'the workload and its arguments, after --')
    .usage('[options] [-- command args…]')
    .passThroughOptions()
    .action(async (words: string[], flags: Flags) => {
      const options = loadRunOptions({ flags, env: process.env, command: words });
      const { run } = await import('../commands/run.ts');
      try {
        await run(options);
      } catch (error) {
        throw withAdvice(error, options);
      }
    });
}

export function addKeygen(program: Command): void {
  addCommand(program, {
    name: 'keygen',
    summary: 'make a key for a node that others reach over TCP, and print its public half',
    example: 'failover keygen --out /etc/failover/node.key',
  })
    .addOption(
      withDefault('--out <PATH>', 'The secret key; the public one is PATH.pub.', 'failover.key'),
    )
    .option('--force', 'Make a new key also where there is one.')
    .action(async (flags: Flags) => {
      const { keygen } = await import('../commands/keygen.ts');
      keygen({ out: String(flags['out']), force: is(flags, 'force') });
    });
}
