// What a node needs before anything of it is opened: the program of its command, and what its lease is made of.
import type { RunOptions } from '../config/load.ts';
import { resolveCommand } from '../workload/command-path.ts';
import { leaseOpener } from './node-lease.ts';
import type { OpenNodeLease } from './node-lease.ts';

/**
 * Loads the client of its store and reads the files that its lease names; connects to nothing.
 *
 * @param isGuarded whether what it starts are processes, which another process can end
 * @throws FAILOVER_COMMAND_NOT_FOUND, FAILOVER_COMMAND_NOT_EXECUTABLE, and all that `leaseOpener` throws
 */
export async function beforeStart(options: RunOptions, isGuarded: boolean): Promise<OpenNodeLease> {
  const [program] = options.command;
  if (program !== undefined) resolveCommand(program, process.env);
  return leaseOpener(options, isGuarded);
}
