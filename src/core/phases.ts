// The role that each phase belongs to: a state that mixes them is refused, and the drawing is grouped by it.
import type { Phase, Role } from './state.ts';

export const ROLE_OF_PHASE: Readonly<Record<Phase, Role>> = {
  listening: 'secondary',
  watching: 'secondary',
  suspecting: 'secondary',
  fencing: 'secondary',
  waiting: 'secondary',
  asking: 'secondary',
  acquiring: 'candidate',
  clearing: 'candidate',
  starting: 'candidate',
  promoting: 'candidate',
  unwinding: 'candidate',
  serving: 'primary',
  restarting: 'primary',
  demoting: 'primary',
  stopping: 'stopped',
  stopped: 'stopped',
};
