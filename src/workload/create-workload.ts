// Chooses the kind of workload that a node has.
import type { Standby } from '../core/settings.ts';
import { HotWorkload } from './standby.ts';
import type { SupervisedWorkload, WorkloadOptions } from './supervised-workload.ts';
import { CommandWorkload } from './supervisor.ts';
import { WatcherWorkload } from './watcher.ts';

/** The workload of one node. Nothing is started, opened or written yet. */
export function createWorkload(standby: Standby, options: WorkloadOptions): SupervisedWorkload {
  if (options.command.length === 0) return new WatcherWorkload(options);
  return standby === 'hot' ? new HotWorkload(options) : new CommandWorkload(options);
}
