// The command that passes requests and connections on to the primary.
import type { Command } from 'commander';
import { PROXY_OPTIONS, optionOf } from '../../config/options.ts';
import { withAdvice } from '../advised.ts';
import { addClient, addOption, leaseServer } from './definition.ts';
import type { Flags } from './flags.ts';

/** How it reaches nodes of other machines, and what it says. */
const SHARED_WITH_RUN = [
  ...['keyFile', 'authorizedKeys', 'insecure', 'secretFile'],
  ...['logFormat', 'quiet'],
];

export function addProxy(program: Command): void {
  const command = addClient(program, {
    name: 'proxy',
    summary: 'forward requests to the primary, and hold them while there is none',
    example: 'failover proxy --group web --listen 127.0.0.1:8080',
  });
  for (const option of PROXY_OPTIONS) addOption(command, option);
  command.addOption(leaseServer());
  for (const key of SHARED_WITH_RUN) addOption(command, optionOf(key));
  command.action(async (flags: Flags) => {
    const { loadProxyOptions } = await import('../../config/load-proxy.ts');
    const options = loadProxyOptions({ flags, env: process.env });
    const { proxy } = await import('../commands/proxy.ts');
    try {
      await proxy(options);
    } catch (error) {
      throw withAdvice(error, options);
    }
  });
}
