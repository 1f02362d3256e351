// The journal of one node: what it decided goes to its file a while after it was done, or is counted as dropped.
import { setTimeout as wait } from 'node:timers/promises';
import type { Event } from '../core/event.ts';
import type { NodeState } from '../core/state.ts';
import type { Step } from '../core/transition.ts';
import { messageOf } from '../error-message.ts';
import { FILE_LIMIT_BYTES, JournalFile, journalPaths } from './journal-file.ts';
import { droppedLine, runLine, segmentLines } from './lines.ts';
import type { RunLine } from './lines.ts';
import { pruneJournals } from './prune.ts';
import { Recorder } from './recorder.ts';

export interface NodeJournalOptions {
  /** `journal/` of the group. */
  readonly directory: string;
  /** Where the group's nodes are registered: their journals stay. */
  readonly nodesDirectory: string;
  readonly about: Omit<RunLine, 'v' | 'kind'>;
  /** Whether a takeover is under way here, which nothing may slow down. */
  readonly isBusy: () => boolean;
  /** How many events before a transition are kept at least; left out: as `Recorder` does. */
  readonly context?: number;
  /** What is waited after a transition, ms; a fixed one for tests. */
  readonly delayMs?: number;
}

/** What a node says of its journal. */
export interface JournalReport {
  readonly path: string;
  /** Lines that could not be written. */
  readonly dropped: number;
}

/** By then a takeover is over, here and in a successor on the same machine. */
const DELAY_MS = 300;

/** The nodes of a group, that all saw the same loss, write within this time, not at once. */
const SPREAD_MS = 300;

/** How often a write is put off while a takeover is under way. */
const PUT_OFF_LIMIT = 20;

/** How long a node that ends or is about to be suspended waits for its last lines, ms. */
const FLUSH_LIMIT_MS = 500;

export class NodeJournal {
  readonly #options: NodeJournalOptions;
  readonly #recorder: Recorder;
  readonly #file: JournalFile;
  readonly #delayMs: number;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #putOff = 0;
  #dropped = 0;
  /** Those of them that the file does not tell of yet, and why. */
  #untold: { lines: number; why: string } = { lines: 0, why: '' };
  #closed = false;

  constructor(options: NodeJournalOptions) {
    this.#options = options;
    this.#recorder = new Recorder(options.context);
    const { directory, about } = options;
    this.#file = new JournalFile(journalPaths(directory, about.run), () => runLine(about));
    const spreadMs = (Number.parseInt(about.run.slice(-3), 16) || 0) % SPREAD_MS;
    this.#delayMs = options.delayMs ?? DELAY_MS + spreadMs;
  }

  report(): JournalReport {
    return { path: this.#file.paths.current, dropped: this.#dropped };
  }

  /** Remembers a step; costs a push. */
  note(step: Step): void {
    this.#recorder.note(step, Date.now);
    this.#writeSoon();
  }

  /** Remembers the event at which the core refused to go on. */
  noteRefusal(before: NodeState, event: Event, refusal: string): void {
    this.#recorder.noteRefusal(before, event, refusal);
    this.#writeSoon();
  }

  /** Writes what is left, and waits for it a moment: never longer. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  /** Writes what there is so far, before a moment in which the process may be stopped; waits as long. */
  async flush(): Promise<void> {
    const limit = new AbortController();
    const { signal } = limit;
    const timeUp = wait(FLUSH_LIMIT_MS, undefined, { signal }).catch(() => undefined);
    await Promise.race([this.#writeNow(), timeUp]);
    limit.abort();
  }

  async #writeNow(): Promise<void> {
    await this.#writing;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#beginWriting();
  }

  #writeSoon(): void {
    if (this.#timer !== null || this.#writing !== null) return;
    if (!this.#recorder.hasNews || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#options.isBusy() && this.#putOff < PUT_OFF_LIMIT) {
        this.#putOff += 1;
        this.#writeSoon();
        return;
      }
      this.#putOff = 0;
      void this.#beginWriting();
    }, this.#delayMs).unref();
  }

  /** One at a time: two would mix their lines. */
  #beginWriting(): Promise<void> {
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
      this.#writeSoon();
    });
    return this.#writing;
  }

  /** Never rejects: what can't be written is dropped and counted. */
  async #write(): Promise<void> {
    const segment = this.#recorder.take();
    if (segment === null) return;
    try {
      const lines = segmentLines(segment, new Date());
      const fitting = fittingLines(lines);
      this.#drop(lines.length - fitting.length, 'too long for the file');
      await this.#append(fitting);
    } catch (error) {
      // Whatever it is: a node does not end for the sake of its journal.
      this.#drop(segment.decisions.length + 1, messageOf(error));
    }
  }

  async #append(lines: readonly string[]): Promise<void> {
    const told = this.#untold;
    const text = (told.lines > 0 ? droppedLine(told.lines, told.why) : '') + lines.join('');
    const isNew = await this.#file.append(text);
    this.#untold = { lines: this.#untold.lines - told.lines, why: this.#untold.why };
    if (isNew) await pruneJournals(this.#options.directory, this.#options.nodesDirectory);
  }

  #drop(lines: number, why: string): void {
    if (lines === 0) return;
    this.#dropped += lines;
    this.#untold = { lines: this.#untold.lines + lines, why };
  }
}

/** Without lines that are too long, and not more than half a file. */
function fittingLines(lines: readonly (string | null)[]): readonly string[] {
  let roomBytes = FILE_LIMIT_BYTES / 2;
  return lines.filter((line): line is string => {
    roomBytes -= line === null ? 0 : Buffer.byteLength(line);
    return line !== null && roomBytes >= 0;
  });
}
