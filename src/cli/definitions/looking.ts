// The commands that look at a group and change nothing.
import type { Command } from 'commander';
import { loadGroupSearch } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import { ALL_GROUPS, addClient, leaseServer, withDefault } from './definition.ts';
import { offering } from './offered.ts';
import { is, nodeId, ofClient, timeout } from './flags.ts';
import type { Flags } from './flags.ts';

export function addLooking(program: Command): void {
  addClient(program, {
    name: 'status',
    summary: 'show which node is primary, which stand by, and any problems',
    example: 'failover status --group web --watch',
    withoutGroup: ALL_GROUPS,
  })
    .addOption(leaseServer())
    .option('--json', 'Print one JSON object.')
    .option('--watch', 'Keep running and show each change until Ctrl-C.')
    .action(async (flags: Flags) => {
      const { status } = await import('../commands/status.ts');
      const search = loadGroupSearch({ flags, env: process.env });
      const more = { json: is(flags, 'json'), watch: is(flags, 'watch'), search };
      await ofClient(flags, (options) => status({ ...options, ...more }));
    });
  addClient(program, {
    name: 'explain',
    summary: 'explain why NODE has its role, or why no node has taken over',
    example: 'failover explain b --group web',
  })
    .argument(
      '[node]',
      'the node; by default the primary and the next in succession, or all nodes if there is no primary',
    )
    .addOption(leaseServer())
    .option('--json', 'Print one JSON object.')
    .action(async (node: string | undefined, flags: Flags) => {
      const { explain } = await import('../commands/explain.ts');
      const more = { node: nodeId(node), json: is(flags, 'json') };
      await ofClient(flags, (options) => explain({ ...options, ...more }));
    });
  addClient(program, {
    name: 'events',
    summary: 'show recent events of the group, from every machine',
    example: 'failover events --group web --since 10m --follow',
  })
    .addOption(leaseServer())
    .option(
      '--since <TIME>',
      'Show only events since 10m (ago), or since a time such as 2026-03-01T12:00.',
    )
    .option('--follow', 'Keep running and show each new event until Ctrl-C.')
    .option(
      '--json',
      'Print one JSON object; with --follow, one JSON object per line for each event.',
    )
    .action(async (flags: Flags) => {
      const { events } = await import('../commands/events.ts');
      const since = typeof flags['since'] === 'string' ? flags['since'] : null;
      const more = { json: is(flags, 'json'), follow: is(flags, 'follow'), since };
      await ofClient(flags, (options) => events({ ...options, ...more }));
    });
  addClient(program, {
    name: 'wait',
    summary: 'wait until there is a primary, or until NODE has a role',
    example: 'failover wait --group web --role primary --timeout 10s',
  })
    .argument('[node]', 'the node to wait for; any node by default')
    .addOption(
      offering(
        withDefault('--role <ROLE>', 'The role to wait for: primary or secondary.', 'primary'),
        ['primary', 'secondary'],
      ),
    )
    .addOption(withDefault('--timeout <TIME>', 'How long to wait; 0 checks once.', '30s'))
    .action(async (node: string | undefined, flags: Flags) => {
      const role = flags['role'];
      if (role !== 'primary' && role !== 'secondary') throw badRole(role);
      const { waitFor } = await import('../commands/wait.ts');
      const more = { role, node: nodeId(node), ...timeout(flags) } as const;
      await ofClient(flags, (options) => waitFor({ ...options, ...more }));
    });
  addDashboard(program);
}

function addDashboard(program: Command): void {
  addClient(program, {
    name: 'dashboard',
    summary: 'serve a web page that shows all groups live and can change them',
    example: 'failover dashboard --open',
    withoutGroup: ALL_GROUPS,
  })
    .addOption(leaseServer())
    .addOption(
      withDefault(
        '--listen <ADDRESS>',
        'Listen address: HOST:PORT, or PORT on 127.0.0.1. Port 0 lets the system choose.',
        '127.0.0.1:0',
      ),
    )
    .option('--open', 'Open the page in a browser.')
    .action(async (flags: Flags) => {
      const { dashboard } = await import('../commands/dashboard.ts');
      const search = loadGroupSearch({ flags, env: process.env });
      const more = { search, listen: String(flags['listen']), open: is(flags, 'open') };
      // Without a group it is of all, and not of the one that is called default.
      const isOfOne = (flags['group'] ?? process.env['FAILOVER_GROUP'] ?? '') !== '';
      await ofClient(flags, ({ group, ...client }) =>
        dashboard({ ...client, ...more, group: isOfOne ? group : null }),
      );
    });
}

function badRole(role: unknown): FailoverError {
  return new FailoverError(
    'FAILOVER_BAD_OPTION',
    `Cannot use --role: "${String(role)}" is no role`,
    {
      details: { option: '--role', expected: 'primary or secondary' },
    },
  );
}
