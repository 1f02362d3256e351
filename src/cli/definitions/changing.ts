// The commands that ask nodes to do something.
import type { Command } from 'commander';
import { CHANGE_TIME } from '../deadline.ts';
import { addClient, leaseServer, withDefault } from './definition.ts';
import { hold, is, nodeId, ofClient, timeout } from './flags.ts';
import type { Flags } from './flags.ts';

export function addChanging(program: Command): void {
  addClient(program, {
    name: 'promote',
    summary: 'promote NODE, or the next node in succession',
    example: 'failover promote b --group web',
  })
    .argument('[node]', 'the node to promote; the next in succession by default')
    .option(
      '--force',
      'Fence the current primary if it does not hand over and the --fence setting of NODE permits it.',
    )
    .addOption(withDefault('--timeout <TIME>', 'Time limit for the change.', CHANGE_TIME))
    .action(async (node: string | undefined, flags: Flags) => {
      const { promote } = await import('../commands/promote.ts');
      const force = is(flags, 'force');
      const more = { node: nodeId(node), force, ...timeout(flags) };
      await ofClient(flags, (options) => promote({ ...options, ...more }));
    });
  addClient(program, {
    name: 'demote',
    summary: 'make the primary step down; it stands by until another node has led',
    example: 'failover demote --group web --hold 10m',
  })
    .argument('[node]', 'the node to demote; the primary by default')
    .option(
      '--hold <TIME>',
      'Keep the node from leading for this long, instead of until another node has led.',
    )
    .addOption(withDefault('--timeout <TIME>', 'Time limit for the change.', CHANGE_TIME))
    .action(async (node: string | undefined, flags: Flags) => {
      const { demote } = await import('../commands/demote.ts');
      const more = { node: nodeId(node), holdMs: hold(flags), ...timeout(flags) };
      await ofClient(flags, (options) => demote({ ...options, ...more }));
    });
  addClient(program, {
    name: 'pause',
    summary: 'suspend automatic promotion in the group until resume',
    example: 'failover pause --group web',
  })
    .addOption(leaseServer())
    .action(async (flags: Flags) => {
      const { pause } = await import('../commands/pause.ts');
      await ofClient(flags, (options) => pause(options));
    });
  addClient(program, {
    name: 'resume',
    summary: 'allow automatic promotion again',
    example: 'failover resume --group web',
  })
    .addOption(leaseServer())
    .action(async (flags: Flags) => {
      const { resume } = await import('../commands/resume.ts');
      await ofClient(flags, (options) => resume(options));
    });
  addClient(program, {
    name: 'stop',
    summary: "stop the group's nodes on this machine, secondaries first, or only NODE",
    example: 'failover stop --group web',
  })
    .argument('[node]', 'the node to stop; all by default')
    .addOption(withDefault('--timeout <TIME>', 'How long to wait for the nodes to exit.', '60s'))
    .action(async (node: string | undefined, flags: Flags) => {
      const { stop } = await import('../commands/stop.ts');
      const more = { node: nodeId(node), ...timeout(flags) };
      await ofClient(flags, (options) => stop({ ...options, ...more }));
    });
  addClient(program, {
    name: 'check',
    summary: 'probe the primary now; if it is dead, a secondary takes over',
    example: 'failover check --group web',
  })
    .addOption(withDefault('--timeout <TIME>', 'Time limit for the check.', CHANGE_TIME))
    .action(async (flags: Flags) => {
      const { check } = await import('../commands/check.ts');
      await ofClient(flags, (options) => check({ ...options, ...timeout(flags) }));
    });
}
