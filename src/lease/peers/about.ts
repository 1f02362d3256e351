// What a node says of itself beside the election: its record, and what people and its work have said to the group.
import type { Peer } from '../../core/peer-table.ts';
import type { LeaseHolder } from '../../core/state.ts';
import { isCount, isFields, isName, isText } from '../../transport/checks.ts';
import { readStoredNode } from '../stored-records.ts';
import type { StoredSight, StoredNode } from '../remote-store.ts';

/** The latest that was said to all; of two at once the same one counts everywhere. */
export interface GroupWord {
  /** How often something was said before it. */
  readonly number: number;
  /** The node that was told. */
  readonly node: string;
  /** The person who paused the group; null: it goes on. */
  readonly pausedBy: string | null;
  /** The latest epoch whose work was completed; 0: none. */
  readonly completed: number;
}

export const NO_WORD: GroupWord = { number: 0, node: '', pausedBy: null, completed: 0 };

/** The one of two that counts. */
export function laterWord(one: GroupWord, other: GroupWord): GroupWord {
  if (one.number !== other.number) return one.number > other.number ? one : other;
  return one.node >= other.node ? one : other;
}

/** The text for a heartbeat: addresses that are too long for it are left out. */
export function encodeAbout(record: StoredNode, word: GroupWord): string {
  const { host, version, endpoints, standby, priority, startedAt, target } = record;
  const about = { host, version, endpoints, standby, priority, startedAt, pid: process.pid, word };
  const text = JSON.stringify(target === undefined ? about : { ...about, target });
  if (text.length <= ABOUT_LIMIT) return text;
  return JSON.stringify({ ...about, endpoints: { bus: '', rpc: '' } });
}

/** The longest such text, characters: it is part of a heartbeat, which has a limit, too. */
const ABOUT_LIMIT = 768;

/** What a peer says of itself. */
export interface About {
  /** The node's record; null: it says nothing that this version understands. */
  readonly record: Omit<StoredSight, 'seenAgoMs'> | null;
  readonly holder: LeaseHolder | null;
  readonly word: GroupWord;
}

export function readAbout({ node, run, about }: Pick<Peer, 'node' | 'run' | 'about'>): About {
  const fields = fieldsIn(about);
  const { pid, word } = fields;
  const record = readStoredNode({ ...fields, node, run, supervisor: { pid } });
  const holder = record === null ? null : { node, run, endpoints: record.endpoints };
  return { record, holder, word: readWord(word) };
}

function fieldsIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : {};
  } catch {
    return {};
  }
}

/** What was said, as it was told or kept; that there is nothing, where it is not understood. */
export function readWord(value: unknown): GroupWord {
  if (!isFields(value)) return NO_WORD;
  const { number, node, pausedBy, completed } = value;
  if (!isCount(number) || number >= Number.MAX_SAFE_INTEGER || !isName(node)) return NO_WORD;
  if (!isCount(completed) || (pausedBy !== null && !isText(pausedBy))) return NO_WORD;
  return { number, node, pausedBy, completed };
}
