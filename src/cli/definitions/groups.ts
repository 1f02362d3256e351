// The commands of many groups in one process: what runs them, and what writes their file.
import { Option } from 'commander';
import type { Command } from 'commander';
import { OptionReader } from '../../config/option-reader.ts';
import { UP_OPTIONS, optionOf } from '../../config/options.ts';
import { PROCESS_KEYS } from '../../config/up-options.ts';
import { addCommand, addOption } from './definition.ts';
import { is } from './flags.ts';
import type { Flags } from './flags.ts';

export function addUp(program: Command): void {
  const command = addCommand(program, {
    name: 'up',
    summary: 'start a node for each group in a file, all in one process',
    example: 'failover up -f failover.yaml',
  });
  for (const option of UP_OPTIONS) addOption(command, option);
  command
    .addOption(new Option('--only <GROUP...>', 'Start only these groups of the file.'))
    .option(
      '--check',
      'Validate the file, check that its groups could start here, list them, and start nothing.',
    );
  for (const key of PROCESS_KEYS) {
    if (!UP_OPTIONS.some((option) => option.key === key)) addOption(command, optionOf(key));
  }
  command.action(async (flags: Flags) => {
    const { check, up } = await import('../commands/up.ts');
    const only = Array.isArray(flags['only']) ? flags['only'].map(String) : null;
    const told = { flags, env: process.env, only };
    if (is(flags, 'check')) await check(told);
    else await up(told);
  });
}

export function addInit(program: Command): void {
  addCommand(program, {
    name: 'init',
    summary: 'write an example group file for `failover up`',
    example: 'failover init failover.yaml',
  })
    .argument('[file]', 'the file to write', optionOf('file').default)
    .option('--force', 'Overwrite an existing file.')
    .option('--schema', 'Print the JSON Schema of group files and write nothing.')
    .action(async (file: string, flags: Flags) => {
      const { init, printSchema } = await import('../commands/init.ts');
      if (is(flags, 'schema')) printSchema();
      else init({ file: pathIn(file), force: is(flags, 'force') });
    });
}

/** @throws FAILOVER_BAD_OPTION when no file can be called that */
function pathIn(file: string): string {
  return new OptionReader({ flags: { file }, env: {} }, 'run').text('file') ?? file;
}
