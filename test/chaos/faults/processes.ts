// Signals: to the supervisor, to the workload, to both, to a standby, to all, and in the middle of a change.
import { signal } from '../../support/process-list.ts';
import type { NodeProcess } from '../../support/process-node.ts';
import type { Arena } from '../arena.ts';
import type { Fault } from '../plan.ts';
import { chosen } from './fault.ts';
import type { Perform } from './fault.ts';

export const killPrimary: Perform = onPrimary((arena, node) => {
  arena.told.add(node);
  node.kill('SIGKILL');
});

export const killWorkload: Perform = async (arena) => {
  const { active } = arena.watch;
  if (active === null) return 'skipped: no workload is active';
  signal(active.pid, 'SIGKILL');
  return Promise.resolve(`SIGKILL to workload ${active.pid}`);
};

export const killBoth: Perform = onPrimary((arena, node) => {
  const { active } = arena.watch;
  arena.told.add(node);
  node.kill('SIGKILL');
  if (active !== null) signal(active.pid, 'SIGKILL');
});

export const killStandby: Perform = onStandby((arena, node) => {
  arena.told.add(node);
  node.kill('SIGKILL');
});

export const killAll: Perform = async (arena) => {
  const nodes = arena.living;
  for (const node of nodes) {
    arena.told.add(node);
    node.kill('SIGKILL');
  }
  return Promise.resolve(`SIGKILL to all ${nodes.length} supervisors`);
};

export const stopPrimary: Perform = stopping((arena) => pidsOf([arena.primary]));

export const stopWorkload: Perform = stopping((arena) => workloadOf(arena));

export const stopBoth: Perform = stopping((arena) => [
  ...pidsOf([arena.primary]),
  ...workloadOf(arena),
]);

export const stopStandby: Perform = stopping((arena, fault) =>
  pidsOf([chosen(arena.standbys, fault)]),
);

export const stopAll: Perform = stopping((arena) => pidsOf(arena.living));

/** Stopped for a moment, again and again: each time it could have lost the lease meanwhile. */
export const flapPrimary: Perform = async (arena, fault) => {
  const node = arena.primary;
  if (node === null) return 'skipped: no primary';
  const rounds = 2 + (fault.choice % 5);
  for (let round = 0; round < rounds; round += 1) {
    await stopFor(arena, [node.pid], fault.forMs / rounds);
    await arena.pause(fault.forMs / rounds);
  }
  return `${rounds} times SIGSTOP and SIGCONT to ${nameOf(node)}`;
};

export const termPrimary: Perform = onPrimary((arena, node) => {
  arena.told.add(node);
  node.kill('SIGTERM');
});

export const termStandby: Perform = onStandby((arena, node) => {
  arena.told.add(node);
  node.kill('SIGTERM');
});

/** Ctrl-Z; it is continued when the time is over. */
export const suspendPrimary: Perform = async (arena, { forMs }) => {
  const node = arena.primary;
  if (node === null) return 'skipped: no primary';
  const resume = arena.undoLater(() => {
    node.kill('SIGCONT');
  });
  node.kill('SIGTSTP');
  await arena.pause(forMs);
  // It steps down first: continued before it has stopped, it would stop after that, for good.
  const { group } = arena;
  await arena.until(STEP_DOWN_LIMIT_MS, () => node.end !== null || group.stateOf(node.pid) === 'T');
  await resume();
  return `SIGTSTP to ${nameOf(node)} for ${forMs} ms`;
};

/** Longer than any demotion takes here. */
const STEP_DOWN_LIMIT_MS = 10_000;

const PROMOTION = ['acquiring', 'clearing', 'starting', 'promoting'] as const;
const DEMOTION = ['demoting'] as const;

export const killInPromotion: Perform = inChange(PROMOTION, (arena, node) => {
  arena.told.add(node);
  node.kill('SIGKILL');
});

export const stopInPromotion: Perform = inChange(PROMOTION, (_arena, node) => {
  node.kill('SIGSTOP');
});

export const killInDemotion: Perform = inChange(DEMOTION, (arena, node) => {
  arena.told.add(node);
  node.kill('SIGKILL');
});

export const stopInDemotion: Perform = inChange(DEMOTION, (_arena, node) => {
  node.kill('SIGSTOP');
});

/** Brings a change about, and acts when the log says that it has come to one of its phases. */
function inChange(
  phases: readonly string[],
  act: (arena: Arena, node: NodeProcess) => void,
): Perform {
  return async (arena, fault) => {
    const phase = chosen(phases, fault);
    const old = arena.primary;
    if (phase === undefined || old === null) return 'skipped: no primary';
    const hit = arena.onPhase({ phases: [phase], limitMs: CHANGE_LIMIT_MS }, (node) => {
      act(arena, node);
    });
    // An order to step down keeps the node, a kill doesn't: either leads to the change.
    arena.told.add(old);
    old.kill(phase === 'demoting' || fault.choice % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
    const node = await hit;
    if (node === null) return `skipped: nobody came to ${phase}`;
    await arena.pause(fault.forMs);
    if (node.end === null) node.kill('SIGCONT');
    return `${nameOf(node)} in the phase ${phase}`;
  };
}

/** Longer than any change takes here; a standby may have died meanwhile, and nothing comes. */
const CHANGE_LIMIT_MS = 3000;

function onPrimary(act: (arena: Arena, node: NodeProcess) => void): Perform {
  return async (arena) => {
    const node = arena.primary;
    if (node === null) return 'skipped: no primary';
    act(arena, node);
    return Promise.resolve(nameOf(node));
  };
}

function onStandby(act: (arena: Arena, node: NodeProcess) => void): Perform {
  return async (arena, fault) => {
    const node = chosen(arena.standbys, fault);
    if (node === undefined) return 'skipped: no standby';
    act(arena, node);
    return Promise.resolve(nameOf(node));
  };
}

function stopping(pids: (arena: Arena, fault: Fault) => readonly number[]): Perform {
  return async (arena, fault) => {
    const targets = pids(arena, fault);
    if (targets.length === 0) return 'skipped: nothing to stop';
    await stopFor(arena, targets, fault.forMs);
    return `SIGSTOP to ${targets.join(', ')} for ${fault.forMs} ms`;
  };
}

async function stopFor(arena: Arena, pids: readonly number[], forMs: number): Promise<void> {
  const resume = arena.undoLater(() => {
    for (const pid of pids) signal(pid, 'SIGCONT');
  });
  for (const pid of pids) signal(pid, 'SIGSTOP');
  await arena.pause(forMs);
  await resume();
}

function pidsOf(nodes: readonly (NodeProcess | null | undefined)[]): number[] {
  return nodes.flatMap((node) => (node === null || node === undefined ? [] : [node.pid]));
}

function workloadOf({ watch }: Arena): number[] {
  return watch.active === null ? [] : [watch.active.pid];
}

function nameOf({ id, pid, phase }: NodeProcess): string {
  return `${id} (pid ${pid}, ${phase})`;
}
