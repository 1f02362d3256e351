// What the live view shows and asks, as data: each key makes another view of it, and perhaps a change to be made.
import type { GroupStatus } from '../group-status.ts';
import type { SeenGroup } from '../groups.ts';

/** A change that a person is asked about before it is made. */
export type Change =
  | {
      readonly kind: 'promote';
      readonly group: string;
      readonly node: string;
      readonly force: boolean;
    }
  | { readonly kind: 'demote'; readonly group: string; readonly node: string }
  | { readonly kind: 'pause' | 'resume'; readonly group: string };

export interface Message {
  readonly tone: 'good' | 'bad' | 'busy';
  readonly text: string;
}

export interface View {
  /** The group that is open; null: all are listed. */
  readonly group: string | null;
  /** Whether it was opened from a list. */
  readonly isOpened: boolean;
  /** By name: it stays chosen when others come before it. Null: the first. */
  readonly chosenGroup: string | null;
  readonly chosenNode: string | null;
  readonly question: Change | null;
  readonly isHelp: boolean;
  readonly message: Message | null;
}

/** What there is to be shown; of an open group its status, null where it could not be looked at. */
export interface Sight {
  readonly groups: readonly SeenGroup[];
  readonly status: GroupStatus | null;
}

/** `change`: to be made now. */
export interface Pressed {
  readonly view: View;
  readonly change: Change | null;
  readonly ends: boolean;
}

export function viewOf(group: string | null): View {
  const nothing = { chosenGroup: null, chosenNode: null, question: null, message: null };
  return { ...nothing, group, isOpened: false, isHelp: false };
}

/** What a key does. `rows`: how far a page goes. */
export function pressed(view: View, key: string, sight: Sight, rows: number): Pressed {
  if (key === 'ctrl-c') return { view, change: null, ends: true };
  if (view.question !== null) return answered(view, view.question, key);
  if (view.isHelp) return shown({ ...view, isHelp: false });
  if (key === 'q') return { view, change: null, ends: true };
  if (key === '?') return shown({ ...view, isHelp: true });
  if (key in STEPS) return shown(withoutOutcome(moved(view, key, sight, rows)));
  return view.group === null ? ofList(view, key, sight) : ofGroup(view, view.group, key, sight);
}

/** The place of what is chosen among what is there; -1: nothing is there. */
export function chosenPlace(view: View, sight: Sight): number {
  const names = namesIn(view, sight);
  const chosen = view.group === null ? view.chosenGroup : view.chosenNode;
  const place = chosen === null ? 0 : names.indexOf(chosen);
  return names.length === 0 ? -1 : Math.max(0, place);
}

/** The question that comes before a change. */
export function questionOf(change: Change, status: GroupStatus | null): string {
  switch (change.kind) {
    case 'promote': {
      const { node, force } = change;
      if (!force) return `Promote ${node}?`;
      const holder = status?.lease.holder ?? null;
      const fenced = holder === null || holder === node ? 'the lease holder' : holder;
      return `Promote ${node}, and fence ${fenced} if it does not hand over?`;
    }
    case 'demote': {
      const isAlone = status !== null && !hasSuccessor(status);
      return `Demote ${change.node}?${isAlone ? ' No node would take over.' : ''}`;
    }
    case 'pause':
      return `Pause group ${change.group}, so that no node takes over automatically?`;
    case 'resume':
      return `Resume group ${change.group}?`;
  }
}

/** Of nodes elsewhere nothing more is known than that they stand by. */
function hasSuccessor({ succession, nodes }: GroupStatus): boolean {
  return (
    succession.length > 0 ||
    nodes.some(({ role, state }) => role === 'secondary' && state === 'elsewhere')
  );
}

/** What is said while a change is under way. */
function changingText(change: Change): string {
  switch (change.kind) {
    case 'promote':
      return `Promoting ${change.node} …`;
    case 'demote':
      return `Demoting ${change.node} …`;
    case 'pause':
      return `Pausing group ${change.group} …`;
    case 'resume':
      return `Resuming group ${change.group} …`;
  }
}

function answered(view: View, question: Change, key: string): Pressed {
  const asked = { ...view, question: null };
  if (key !== 'y' && key !== 'Y') {
    return shown({ ...asked, message: { tone: 'good', text: 'Nothing was changed.' } });
  }
  const message: Message = { tone: 'busy', text: changingText(question) };
  return { view: { ...asked, message }, change: question, ends: false };
}

/** How far each of these keys goes, in rows; null: a page. */
const STEPS: Readonly<Record<string, number | null>> = {
  up: -1,
  down: 1,
  'page-up': null,
  'page-down': null,
  first: -Infinity,
  last: Infinity,
};

function moved(view: View, key: string, sight: Sight, rows: number): View {
  const names = namesIn(view, sight);
  const page = key === 'page-up' ? -Math.max(1, rows) : Math.max(1, rows);
  const wanted = chosenPlace(view, sight) + (STEPS[key] ?? page);
  const name = names[Math.min(names.length - 1, Math.max(0, wanted))] ?? null;
  return view.group === null ? { ...view, chosenGroup: name } : { ...view, chosenNode: name };
}

function ofList(view: View, key: string, sight: Sight): Pressed {
  const group = namesIn(view, sight)[chosenPlace(view, sight)] ?? null;
  if (key === 'enter' && group !== null) {
    const opened = { group, isOpened: true, chosenGroup: group, chosenNode: null };
    return shown({ ...view, ...opened, message: null });
  }
  if (!CHANGING.has(key)) return shown(view);
  return refused(view, 'Open a group with Enter first.');
}

const CHANGING: ReadonlySet<string> = new Set(['p', 'f', 'd', 'z']);

function ofGroup(view: View, group: string, key: string, sight: Sight): Pressed {
  const { status } = sight;
  if (key === 'escape' && view.isOpened) {
    return shown({ ...view, group: null, isOpened: false, message: null });
  }
  if (!CHANGING.has(key) || status === null) return shown(view);
  if (view.message?.tone === 'busy') return shown(view);
  if (key === 'z') return asking(view, { kind: status.paused ? 'resume' : 'pause', group });
  const node = namesIn(view, sight)[chosenPlace(view, sight)];
  if (key === 'd') {
    // It is the primary that steps down, whoever is chosen: the question names it.
    const holder = status.lease.holder;
    if (holder === null) return refused(view, 'There is no primary to demote.');
    return asking(view, { kind: 'demote', group, node: holder });
  }
  if (node === undefined) return refused(view, 'There is no node to promote.');
  if (node === status.primary) return refused(view, `${node} is already primary.`);
  return asking(view, { kind: 'promote', group, node, force: key === 'f' });
}

/** What has been read goes; what is under way stays. */
function withoutOutcome(view: View): View {
  return view.message?.tone === 'busy' ? view : { ...view, message: null };
}

function asking(view: View, question: Change): Pressed {
  return shown({ ...view, question, message: null });
}

function refused(view: View, text: string): Pressed {
  return shown({ ...view, message: { tone: 'bad', text } });
}

function shown(view: View): Pressed {
  return { view, change: null, ends: false };
}

function namesIn({ group }: View, { groups, status }: Sight): readonly string[] {
  if (group === null) return groups.map((seen) => seen.group);
  return status?.nodes.map(({ id }) => id) ?? [];
}
