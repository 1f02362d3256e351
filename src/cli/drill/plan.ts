// Which faults a group can be put through, and why not the others: decided before anything is touched.
import { formatDuration } from '../../core/duration-text.ts';
import { expectationOf, losesNode } from './faults.ts';
import type { DrillFault } from './faults.ts';
import type { Scene, SceneNode } from './scene.ts';

export interface PlanRequest {
  readonly faults: readonly DrillFault[];
  readonly rounds: number;
  /** Whether each node that is lost is brought back before the next fault. */
  readonly restores: boolean;
}

export interface PlannedFault {
  readonly fault: DrillFault;
  /** Why it is left out; null: it is played. */
  readonly skipped: string | null;
}

/** The plan of a drill. Faults that come first have first call on the nodes that may be lost. */
export function planDrill(scene: Scene, request: PlanRequest): readonly PlannedFault[] {
  const { rounds, restores } = request;
  let standbys = scene.secondaries.length;
  let restartsLeft = scene.primary.restartsLeft;
  return request.faults.map((fault) => {
    const obstacle =
      obstacleOf(fault, scene) ?? restartObstacle(fault, scene.primary, restartsLeft, rounds);
    if (obstacle !== null) return { fault, skipped: obstacle };
    if (fault === 'workload-crash') restartsLeft -= rounds;
    if (!losesSome(fault, scene) || restores) return { fault, skipped: null };
    if (standbys - rounds < LEAST_STANDBYS) return { fault, skipped: tooFew(standbys, rounds) };
    standbys -= rounds;
    return { fault, skipped: null };
  });
}

/** What forbids one more round of a fault right now; null: nothing does. */
export function obstacleNow(fault: DrillFault, scene: Scene, restores: boolean): string | null {
  const { primary, secondaries } = scene;
  const obstacle =
    obstacleOf(fault, scene) ?? restartObstacle(fault, primary, primary.restartsLeft, 1);
  if (obstacle !== null || !losesNode(fault, primary) || restores) return obstacle;
  return secondaries.length - 1 < LEAST_STANDBYS ? tooFew(secondaries.length, 1) : null;
}

/** What has to stand by after a fault. */
const LEAST_STANDBYS = 1;

/** In the settings of any node: each may be the primary by the time of the fault, or have to fence. */
function obstacleOf(fault: DrillFault, { nodes, primary }: Scene): string | null {
  if (fault === 'starve' || fault === 'switchover') return null;
  if (fault === 'workload-crash') {
    if (primary.setup.hasWorkload) return null;
    return `${primary.id} has no command of its own that could be killed`;
  }
  const program = nodes.find(({ setup }) => !setup.ownsProcess);
  if (program !== undefined) {
    return `${program.id} is part of a program of yours (pid ${String(program.supervisor.pid)}), which is never killed`;
  }
  const keeper = nodes.find(({ setup }) => setup.orphan === 'keep');
  if (keeper !== undefined) {
    return `${keeper.id} has --orphan keep: no command could start before its own exits by itself`;
  }
  if (fault !== 'hang') return null;
  const lenient = nodes.find(({ setup }) => setup.fence !== 'kill');
  if (lenient === undefined) return null;
  return `${lenient.id} has --fence ${lenient.setup.fence}: a stopped primary would keep its lease`;
}

function restartObstacle(
  fault: DrillFault,
  primary: SceneNode,
  restartsLeft: number,
  rounds: number,
): string | null {
  if (fault !== 'workload-crash' || expectationOf(fault, primary) !== 'same-node') return null;
  if (restartsLeft >= rounds) return null;
  const { restartLimit, restartWindowMs } = primary.setup;
  const limit = `${String(restartLimit)} restarts within ${formatDuration(restartWindowMs)}`;
  return `${primary.id} would step down over it and cool off: of ${limit} ${String(restartsLeft)} are left`;
}

function losesSome(fault: DrillFault, { nodes }: Scene): boolean {
  return nodes.some((node) => losesNode(fault, node));
}

function tooFew(standbys: number, rounds: number): string {
  const needed = rounds + LEAST_STANDBYS;
  const has = standbys === 1 ? '1 is' : `${String(standbys)} are`;
  return (
    `it ends ${rounds === 1 ? 'a node' : `${String(rounds)} nodes`}, so ${String(needed)} secondaries have ` +
    `to stand by before it and ${has} left then: start more nodes, or give --restart-command`
  );
}
