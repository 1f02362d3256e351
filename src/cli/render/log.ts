// The lines that a node writes about itself: for people, or as one JSON object each.
import { timeOfDay } from './clock-time.ts';
import { colorLevel } from './color.ts';
import type { ColorLevel } from './color.ts';
import { createJsonLog } from './json-log.ts';
import type { LogEvent } from './log-events.ts';
import { createPaint } from './paint.ts';
import type { Paint } from './paint.ts';
import { PLAIN, printable } from './plain.ts';

/** One thing that happened. Further keys go into the JSON form as they are. */
interface LogEntry {
  /** The machine's name for it; stable. */
  readonly event: LogEvent;
  /** The sentence for people. */
  readonly reason: string;
  /** The role from here on; what was given last counts until the next. */
  readonly role?: string;
  readonly epoch?: number;
  /** When it happened, if that is not now. */
  readonly time?: Date;
  readonly [key: string]: unknown;
}

export interface Logger {
  /** Left out with `quiet`. */
  info(entry: LogEntry): void;
  warn(entry: LogEntry): void;
  error(entry: LogEntry): void;
}

export interface LoggerOptions {
  readonly format: 'pretty' | 'json';
  readonly quiet: boolean;
  readonly stream: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly node: string;
  readonly group: string;
  /** Whether lines for people name the group: where there are several. */
  readonly showsGroup?: boolean;
  /** The wall clock; replaced by tests. */
  readonly now?: () => Date;
  readonly level?: ColorLevel;
}

/** A logger. Which fields its JSON lines have: `LOG_FIELDS`, and of each event `LOG_EVENTS`. */
export function createLogger(options: LoggerOptions): Logger {
  const { format, quiet, stream, now = () => new Date() } = options;
  const level = options.level ?? colorLevel(stream);
  const paint = level === 0 || format === 'json' ? PLAIN : createPaint(level);
  const last: Standing = { role: null, epoch: null };
  let lastDetail = '';
  const writeJson = format === 'json' ? createJsonLog(stream) : null;
  const write = (severity: Severity, entry: LogEntry): void => {
    last.role = entry.role ?? last.role;
    last.epoch = entry.epoch ?? last.epoch;
    if (quiet && severity === 'info') return;
    const line: Line = { ...options, ...last, entry, severity, time: entry.time ?? now() };
    if (writeJson !== null) {
      const { group, node, role, epoch, time } = line;
      const { event, reason } = entry;
      writeJson({ severity, time, group, node, role, epoch, event, reason, more: entry });
      return;
    }
    const [sentence, detail] = partsOf(entry.reason);
    const reason = detail === lastDetail ? sentence : entry.reason;
    lastDetail = detail;
    stream.write(`${prettyLine({ ...line, entry: { ...entry, reason } }, paint)}\n`);
  };
  return {
    info: (entry) => {
      write('info', entry);
    },
    warn: (entry) => {
      write('warn', entry);
    },
    error: (entry) => {
      write('error', entry);
    },
  };
}

type Severity = 'info' | 'warn' | 'error';

/** A sentence, and what follows it after a colon: that is not repeated while it stays the same. */
function partsOf(reason: string): readonly [sentence: string, detail: string] {
  const at = reason.indexOf(': ');
  return at < 0 ? [reason, ''] : [reason.slice(0, at), reason.slice(at + 2)];
}

/** Where the node stands, as the entries so far have told. */
interface Standing {
  role: string | null;
  epoch: number | null;
}

interface Line extends Standing {
  readonly entry: LogEntry;
  readonly severity: Severity;
  readonly time: Date;
  readonly node: string;
  readonly group: string;
  readonly showsGroup?: boolean;
}

function prettyLine(line: Line, paint: Paint): string {
  const { entry, severity, time, node, group, role, showsGroup = false } = line;
  const clock = paint.faint(timeOfDay(time));
  // The process as a whole is no node, and has no role.
  const who =
    node === '' ? '' : `${paint.strong(node)}  ${(role ?? 'starting').padEnd(ROLE_WIDTH)}  `;
  const where = showsGroup ? `${paint.faint(`[${group}]`)} ` : '';
  return `${clock} ${where}${who}${COLORED[severity](printable(entry.reason), paint)}`;
}

const ROLE_WIDTH = 'secondary'.length;

const COLORED: Readonly<Record<Severity, (text: string, paint: Paint) => string>> = {
  info: (text) => text,
  warn: (text, paint) => `${paint.warn('warning:')} ${text}`,
  error: (text, paint) => `${paint.bad('error:')} ${text}`,
};
