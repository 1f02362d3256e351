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
    summary: 'start a node; its command is active while the node is primary',
    example: 'failover run --group web -- node server.js',
  });
  for (const option of OPTIONS) addOption(command, option);
  command
    .argument('[command...]', 'the command and its arguments, after --')
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
    summary: 'make a key pair for TCP between nodes and print the public key',
    example: 'failover keygen --out /etc/failover/node.key',
  })
    .addOption(
      withDefault(
        '--out <PATH>',
        'Path of the secret key; the public key goes to PATH.pub.',
        'failover.key',
      ),
    )
    .option('--force', 'Replace an existing key.')
    .action(async (flags: Flags) => {
      const { keygen } = await import('../commands/keygen.ts');
      keygen({ out: String(flags['out']), force: is(flags, 'force') });
    });
}
