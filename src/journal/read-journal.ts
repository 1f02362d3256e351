// A journal as it is read: by any later version, after any crash; what is not understood is skipped and counted.
import type { Event, EventBody } from '../core/event.ts';
import type { NodeState } from '../core/state.ts';
import { decodeExact } from './exact-json.ts';
import { JOURNAL_VERSION } from './lines.ts';
import type { EventLine, RunLine, StateLine } from './lines.ts';
import { missingSettings } from './settings-fields.ts';

/** What one file says. */
export interface Journal {
  readonly run: RunLine;
  readonly entries: readonly JournalEntry[];
  readonly skipped: SkippedLines;
  /** Lines that its node could not write. */
  readonly dropped: number;
}

interface SkippedLines {
  /** No JSON, cut off, or without what such a line has. */
  readonly corrupt: number;
  /** Of a later version of the form, or of a kind that this one does not know. */
  readonly unknown: number;
}

/** `line`: where it stands in the file, from 1 on. */
export type JournalEntry =
  | { readonly kind: 'state'; readonly line: number; readonly n: number; readonly state: NodeState }
  | {
      readonly kind: 'event';
      readonly line: number;
      readonly n: number;
      /** Null: it repeats one that can't be read. */
      readonly event: Event | null;
      readonly recorded: EventLine;
    };

/** A text that is no journal: why. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}

/** Whether a text begins as a journal does: another tool may have written it. */
export function looksLikeJournal(text: string): boolean {
  return text
    .split('\n', SEARCHED_LINES)
    .some((line) => KINDS.has(String(fieldsIn(line)?.['kind'])));
}

/** @throws JournalError */
export function readJournal(text: string): Journal {
  const reader = new Reader();
  text.split('\n').forEach((line, index) => {
    if (line.trim() !== '') reader.read(line, index + 1);
  });
  return reader.journal();
}

class Reader {
  #run: RunLine | null = null;
  readonly #entries: JournalEntry[] = [];
  readonly #bodies = new Map<number, EventBody>();
  #corrupt = 0;
  #unknown = 0;
  #dropped = 0;

  read(text: string, line: number): void {
    const fields = fieldsIn(text);
    if (fields === null) this.#corrupt += 1;
    else if (fields['v'] !== JOURNAL_VERSION || !KINDS.has(String(fields['kind']))) {
      this.#unknown += 1;
    } else if (!this.#take(fields, line)) this.#corrupt += 1;
  }

  journal(): Journal {
    if (this.#run === null) {
      throw new JournalError('no line identifies the run and its settings');
    }
    const missing = missingSettings(this.#run.settings);
    if (missing.length > 0) {
      throw new JournalError(`its settings do not match this version: ${missing.join(', ')}`);
    }
    const skipped = { corrupt: this.#corrupt, unknown: this.#unknown };
    return { run: this.#run, entries: this.#entries, skipped, dropped: this.#dropped };
  }

  #take(fields: Fields, line: number): boolean {
    switch (fields['kind']) {
      case 'run':
        if (!isRunLine(fields)) return false;
        this.#run ??= fields;
        return true;
      case 'state':
        if (!isStateLine(fields)) return false;
        this.#bodies.clear();
        this.#entries.push({ kind: 'state', line, n: fields.n, state: fields.state });
        return true;
      case 'event':
        return this.#takeEvent(fields, line);
      default:
        this.#dropped += typeof fields['lines'] === 'number' ? fields['lines'] : 0;
        return true;
    }
  }

  #takeEvent(fields: Fields, line: number): boolean {
    if (!isEventLine(fields)) return false;
    const { n, at, event, same } = fields;
    if (event !== undefined) this.#bodies.set(n, event);
    const body = event ?? this.#bodies.get(same ?? 0);
    const known = body === undefined ? null : { ...body, at };
    this.#entries.push({ kind: 'event', line, n, event: known, recorded: fields });
    return true;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** Enough for a file whose first lines were torn. */
const SEARCHED_LINES = 5;

const KINDS: ReadonlySet<string> = new Set(['run', 'state', 'event', 'dropped']);

function fieldsIn(line: string): Fields | null {
  try {
    const value = decodeExact(line);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is inside the settings, a state and an event is looked at where it is used. */
function isRunLine(fields: Fields): fields is Fields & RunLine {
  const texts = ['group', 'node', 'run', 'version', 'host', 'startedAt'];
  return texts.every((key) => typeof fields[key] === 'string') && isFields(fields['settings']);
}

function isStateLine(fields: Fields): fields is Fields & StateLine {
  const { n, state } = fields;
  return typeof n === 'number' && isFields(state) && hasTexts(state, ['role', 'phase']);
}

function isEventLine(fields: Fields): fields is Fields & EventLine {
  const { n, at, event, same, effects, epoch, time } = fields;
  if (typeof n !== 'number' || typeof at !== 'number') return false;
  const isWhole =
    OPTIONAL_TEXTS.every((key) => ['string', 'undefined'].includes(typeof fields[key])) &&
    ['number', 'undefined'].includes(typeof epoch) &&
    (effects === undefined || Array.isArray(effects)) &&
    (typeof time !== 'string' || !Number.isNaN(Date.parse(time)));
  if (!isWhole) return false;
  return event === undefined
    ? typeof same === 'number'
    : isFields(event) && hasTexts(event, ['type']);
}

const OPTIONAL_TEXTS = ['move', 'from', 'to', 'role', 'reason', 'time', 'refusal'];

function hasTexts(fields: Fields, keys: readonly string[]): boolean {
  return keys.every((key) => typeof fields[key] === 'string');
}
