// The commands that try it out: before your eyes, on a simulated machine, on a group that runs.
import type { Command } from 'commander';
import { addClient, addCommand, withDefault } from './definition.ts';
import { ofClient } from './flags.ts';
import { offering } from './offered.ts';
import type { Flags } from './flags.ts';

export function addTrying(program: Command): void {
  addDemo(program);
  addSimulate(program);
  addDrill(program);
}

function addDemo(program: Command): void {
  addCommand(program, {
    name: 'demo',
    summary: 'watch three nodes survive a crash, a hang and a switchover, in one terminal',
    example: 'failover demo',
  }).action(async () => {
    const { demo } = await import('../commands/demo.ts');
    await demo();
  });
}

function addSimulate(program: Command): void {
  addCommand(program, {
    name: 'simulate',
    summary: 'try the deciding part on a simulated machine with every kind of trouble',
    example: 'failover simulate --steps 1000000 --faults crash,stop,partition',
  })
    .option('--seed <N>', 'The first seed; the same seed gives the same run. (default: by chance)')
    .addOption(withDefault('--steps <N>', 'End once this many decisions are made.', '1000000'))
    .option('--nodes <N>', 'How many nodes each run has. (default: 2 to 5, by the seed)')
    .addOption(
      offering(withDefault('--lease <KIND>', 'file, or timed: one with a time to live.', 'file'), [
        ...['file', 'timed'],
      ]),
    )
    .option('--faults <LIST>', 'The kinds of trouble, with commas. (default: all)')
    .option(
      '--replay <FILE>',
      'Play one run again, or decide again what the journal of a node recorded.',
    )
    .option('--save <FILE>', 'Where to write the shortest run that breaks a promise.')
    .option('--json', 'Print one JSON object.')
    .action(async (flags: Flags) => {
      const { simulate } = await import('../commands/simulate.ts');
      await simulate(flags);
    });
}

function addDrill(program: Command): void {
  addClient(program, {
    name: 'drill',
    summary: 'make trouble on your own running group and certify how it came through',
    example: 'failover drill --group web --faults switchover,crash --rounds 3 --yes',
  })
    .option(
      '--faults <LIST>',
      'The faults, with commas, in this order. (default: all that are safe)',
    )
    .addOption(withDefault('--rounds <N>', 'How often each fault is played.', '1'))
    .option('--within <TIME>', 'The longest downtime that you allow, beside the predicted bounds.')
    .option('--restart-command <SH>', 'Shell command that brings a lost node back.')
    .option(
      '--loops <N>',
      'How many busy loops starve the machine. (default: 4 for each processor)',
    )
    .addOption(withDefault('--starve-time <TIME>', 'For how long, at most 10m.', '10s'))
    .addOption(withDefault('--timeout <TIME>', 'How long a step may take beyond its bound.', '60s'))
    .option('--allow-mixed-versions', 'Drill also nodes of different versions.')
    .option('--yes', 'Do it without asking.')
    .option('--json', 'Print the certificate as one JSON object.')
    .action(async (flags: Flags) => {
      const { drill } = await import('../commands/drill.ts');
      await ofClient(flags, (options) => drill(options, flags));
    });
}
