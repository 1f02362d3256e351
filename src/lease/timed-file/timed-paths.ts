// The names of what a timed lease in files keeps of a group, in a directory that several machines see.
import { join } from 'node:path';

export interface TimedPaths {
  /** Made by people, and by them alone: one that is missing may be a share that is not mounted. */
  readonly root: string;
  /** Says which directory it is, whatever is mounted at its path. */
  readonly mark: string;
  /** What a lease of kernel locks would have made there. */
  readonly primaryLock: string;
  /** All that follows is in it; where it is, the lease is a timed one. */
  readonly timed: string;
  /** One name for each time that the lease changed hands, or its epoch: nobody can have the same. */
  readonly turns: string;
  /** One name for each epoch that was claimed, or heard of. */
  readonly epochs: string;
  /** What gets such a name, written ahead. */
  readonly claims: string;
  /** One file for each acquisition: its holder changes it with every renewal. */
  readonly beats: string;
  /** One name for each node that ever registered. */
  readonly starts: string;
  readonly nodes: string;
  /** One name for each time that the id of a node was given to a run: nobody can have the same. */
  readonly ids: string;
  /** One file for each run, which alone writes it. */
  readonly events: string;
  /** The directory of what follows: watched, so nothing that changes often is in it. */
  readonly marks: string;
  /** Written with each change that others wait for. */
  readonly changed: string;
  readonly paused: string;
  readonly completed: string;
}

export function timedPaths(root: string, group: string): TimedPaths {
  const timed = timedDirectory(root, group);
  const marks = join(timed, 'marks');
  return {
    ...{ root, timed, marks },
    mark: join(root, '.failover'),
    primaryLock: join(root, group, 'primary.lock'),
    turns: join(timed, 'turns'),
    epochs: join(timed, 'epochs'),
    claims: join(timed, 'claims'),
    beats: join(timed, 'beats'),
    starts: join(timed, 'starts'),
    nodes: join(timed, 'nodes'),
    ids: join(timed, 'ids'),
    events: join(timed, 'events'),
    changed: join(marks, 'changed'),
    paused: join(marks, 'paused'),
    completed: join(marks, 'completed'),
  };
}

/** Whoever finds it goes by no kernel lock there. */
export function timedDirectory(root: string, group: string): string {
  return join(root, group, 'timed');
}
