// Nodes in a pid namespace of their own, as in a container or on another machine: nobody else sees their processes.
import { spawnSync } from 'node:child_process';
import type { Group } from './process-group.ts';

/** What ends `unshare` ends the namespace. */
export const UNSHARE: readonly string[] = ['unshare', '-pf', '--mount-proc', '--kill-child'];

/** The supervisor is the first process of its namespace. */
export const OWN_NAMESPACE: readonly string[] = [...UNSHARE];

/** As `OWN_NAMESPACE`, on a machine of that name: of two such all have the same names and numbers. */
export function machineNamed(name: string): readonly string[] {
  return [...UNSHARE, '--uts', 'sh', '-c', `hostname ${name}; exec "$@"`, 'sh'];
}

export function canUnshare(): boolean {
  const [program = '', ...options] = UNSHARE;
  return spawnSync(program, [...options, 'true']).status === 0;
}

/** By the pid that it has here. */
export function supervisorOf(group: Group, id: string): number {
  const [found] = supervisorsOf(group, id);
  if (found === undefined) throw new Error(`no supervisor of ${id}`);
  return found;
}

/** Without the programs around it, which have its words among their own. */
export function supervisorsOf(group: Group, id: string): readonly number[] {
  return group
    .marked()
    .filter(
      ({ command }) =>
        !/^(unshare|(\/bin\/)?sh) /.test(command) && command.includes(` --node ${id} `),
    )
    .map(({ pid }) => pid);
}

/** The only one of the group, by the pid that it has here. */
export function workloadOf(group: Group): number {
  const found = group.marked().find(({ command }) => command.startsWith(group.witness));
  if (found === undefined) throw new Error('no workload');
  return found.pid;
}
