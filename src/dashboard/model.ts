// What the page knows: the groups as they were told last, and what has happened in them. Pure.
import type { GroupView, ProblemView, PulseView, TransitionView } from './wire.ts';

/** More than a screen can show, in a day of a busy group. */
const MOST_TRANSITIONS = 2_000;

export interface GroupModel {
  readonly name: string;
  status: GroupView | null;
  problem: ProblemView | null;
  transitions: TransitionView[];
}

export class Model {
  readonly #groups = new Map<string, GroupModel>();

  /** By name. */
  get groups(): readonly GroupModel[] {
    return [...this.#groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  group(name: string): GroupModel | undefined {
    return this.#groups.get(name);
  }

  setNames(names: readonly string[]): void {
    for (const name of this.#groups.keys()) if (!names.includes(name)) this.#groups.delete(name);
    for (const name of names) this.#of(name);
  }

  setStatus(status: GroupView): void {
    const group = this.#of(status.group);
    group.status = status;
    group.problem = null;
  }

  setProblem(problem: ProblemView): void {
    this.#of(problem.group).problem = problem;
  }

  /** False: it was known, as who resumes may be told something again. */
  addTransition(transition: TransitionView): boolean {
    const group = this.#of(transition.group);
    if (group.transitions.some((known) => isSame(known, transition))) return false;
    group.transitions.push(transition);
    if (group.transitions.length > MOST_TRANSITIONS) group.transitions.shift();
    return true;
  }

  addPulse({ group, nodes }: PulseView): void {
    const known = this.#groups.get(group);
    if (known?.status === null || known === undefined) return;
    const figures = new Map(nodes.map(({ id, ...rest }) => [id, rest]));
    const now = known.status.nodes.map((node) => ({ ...node, ...figures.get(node.id) }));
    known.status = { ...known.status, nodes: now };
  }

  #of(name: string): GroupModel {
    const group = this.#groups.get(name) ?? { name, status: null, problem: null, transitions: [] };
    this.#groups.set(name, group);
    return group;
  }
}

function isSame(a: TransitionView, b: TransitionView): boolean {
  return (
    a.time === b.time && a.node === b.node && a.run === b.run && a.from === b.from && a.to === b.to
  );
}
