// Groups as the paths of HTTP see them: looked at, followed and changed, whoever has the nodes.
import type {
  GroupsView,
  GroupView,
  ProblemView,
  PulseView,
  TransitionView,
} from '../dashboard/wire.ts';

/** What somebody may ask of a group. */
export const CHANGES = ['promote', 'demote', 'pause', 'resume'] as const;

export type Change = (typeof CHANGES)[number];

export interface ChangeOrder {
  readonly change: Change;
  /** Null: as the command does without one. */
  readonly node: string | null;
  readonly force: boolean;
  /** How long who steps down does not lead, ms; null: until another has led. */
  readonly holdMs: number | null;
  readonly timeoutMs: number;
}

/** What the command would have printed. */
export interface ChangeOutcome {
  readonly said: readonly string[];
  readonly notes: readonly string[];
}

export type FeedEvent =
  | {
      readonly name: 'groups';
      readonly group: null;
      readonly data: GroupsView;
    }
  | { readonly name: 'status'; readonly group: string; readonly data: GroupView }
  | { readonly name: 'transition'; readonly group: string; readonly data: TransitionView }
  | { readonly name: 'pulse'; readonly group: string; readonly data: PulseView }
  | { readonly name: 'problem'; readonly group: string; readonly data: ProblemView };

/** With the number that it is resumed after; null: it is of the moment, and nobody resumes after it. */
export interface NumberedEvent {
  readonly id: string | null;
  readonly event: FeedEvent;
}

export interface Following {
  /** The last one that was heard; null: nothing of what was is told, `''`: all that is remembered. */
  readonly after: string | null;
  /** Null: of all groups. */
  readonly group: string | null;
}

export interface GroupsSource {
  /** The one that paths without a group speak of; null: there may be several. */
  readonly only: string | null;
  readonly list: () => readonly string[];
  /** The object of `failover status --json`; many who ask at a time cost one look. @throws as that command */
  readonly status: (group: string) => Promise<GroupView>;
  /** @throws as the command of that name */
  readonly change: (group: string, order: ChangeOrder) => Promise<ChangeOutcome>;
  /** Tells how things are, and then each event until the function that it resolves with is called. */
  readonly follow: (
    following: Following,
    listener: (numbered: NumberedEvent) => void,
  ) => Promise<() => void>;
}
