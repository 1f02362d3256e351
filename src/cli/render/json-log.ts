// Lines of the log as JSON, written by pino, which is loaded only where they are asked for.
import { createRequire } from 'node:module';
import type { Logger as PinoLogger, pino } from 'pino';
import type { LogEvent } from './log-events.ts';

interface JsonLine {
  readonly severity: 'info' | 'warn' | 'error';
  readonly time: Date;
  readonly group: string;
  readonly node: string;
  readonly role: string | null;
  readonly epoch: number | null;
  readonly event: LogEvent;
  readonly reason: string;
  /** Further fields; none replaces one of the above. */
  readonly more: Readonly<Record<string, unknown>>;
}

type Write = (line: JsonLine) => void;

/**
 * Writes to a stream at once: stderr is written synchronously to files, pipes and terminals, so a line is out before
 * the process can end. pino's own destinations would write behind the back of what watches the stream for its loss.
 */
export function createJsonLog(stream: JsonStream): Write {
  const known = WRITERS.get(stream) ?? createWriter(stream);
  WRITERS.set(stream, known);
  return known;
}

interface JsonStream {
  write(text: string): unknown;
}

/** One for each stream: a process may have a thousand groups, each with a logger. */
const WRITERS = new WeakMap<JsonStream, Write>();

function createWriter(stream: JsonStream): Write {
  let at = new Date(0);
  const log: PinoLogger = loadPino()(
    {
      base: null,
      level: 'info',
      messageKey: 'reason',
      // When it happened, which may be a moment ago.
      timestamp: () => `,"time":"${at.toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {},
    },
    { write: (text) => void stream.write(text) },
  );
  return ({ severity, time, reason, more, ...stable }) => {
    at = time;
    log[severity]({ ...stable, ...withoutStable(more) }, reason);
  };
}

/** JSON knows no second field of one name. */
function withoutStable(more: JsonLine['more']): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(more).filter(([key]) => !STABLE.has(key)));
}

const STABLE: ReadonlySet<string> = new Set([
  ...['level', 'time', 'group', 'node', 'role', 'epoch', 'event', 'reason'],
]);

/** At once, as a logger is made in the middle of a start; it is CommonJS. */
function loadPino(): typeof pino {
  return createRequire(import.meta.url)('pino') as typeof pino; // what it is, by its declaration
}
