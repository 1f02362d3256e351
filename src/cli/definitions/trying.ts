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
    summary: 'run the decision core on a simulated machine with injected faults',
    example: 'failover simulate --steps 1000000 --faults crash,stop,partition',
  })
    .option('--seed <N>', 'First seed; the same seed gives the same run. (default: random)')
    .addOption(withDefault('--steps <N>', 'Stop after this many decisions.', '1000000'))
    .option('--nodes <N>', 'Nodes in each run. (default: 2 to 5, depending on the seed)')
    .addOption(
      offering(
        withDefault(
          '--lease <KIND>',
          'Kind of lease: file, or timed (with a time to live).',
          'file',
        ),
        [...['file', 'timed']],
      ),
    )
    .option('--faults <LIST>', 'Faults to inject, separated by commas. (default: all)')
    .option('--replay <FILE>', 'Replay a saved run, or the decisions in the journal of a node.')
    .option('--save <FILE>', 'File for the shortest run that violates a guarantee.')
    .option('--json', 'Print one JSON object.')
    .action(async (flags: Flags) => {
      const { simulate } = await import('../commands/simulate.ts');
      await simulate(flags);
    });
}

function addDrill(program: Command): void {
  addClient(program, {
    name: 'drill',
    summary: 'inject faults into your running group and certify the outcome',
    example: 'failover drill --group web --faults switchover,crash --rounds 3 --yes',
  })
    .option(
      '--faults <LIST>',
      'Faults to inject, separated by commas, in order. (default: all that are safe)',
    )
    .addOption(withDefault('--rounds <N>', 'How many times to inject each fault.', '1'))
    .option(
      '--within <TIME>',
      'Maximum allowed downtime, checked in addition to the predicted bounds.',
    )
    .option('--restart-command <SH>', 'Shell command that restarts a lost node.')
    .option(
      '--loops <N>',
      'Number of busy loops that starve the machine. (default: 4 per processor)',
    )
    .addOption(
      withDefault('--starve-time <TIME>', 'How long to starve the machine, at most 10m.', '10s'),
    )
    .addOption(withDefault('--timeout <TIME>', 'Time a step may take beyond its bound.', '60s'))
    .option('--allow-mixed-versions', 'Allow nodes of different versions.')
    .option('--yes', 'Do not ask for confirmation.')
    .option('--json', 'Print the certificate as one JSON object.')
    .action(async (flags: Flags) => {
      const { drill } = await import('../commands/drill.ts');
      await ofClient(flags, (options) => drill(options, flags));
    });
}
