// `failover status --watch`: a live view on a terminal, a line for each change anywhere else.
import { setTimeout as wait } from 'node:timers/promises';
import type { ClientOptions } from '../../config/load.ts';
import { groupStatusOf } from '../group-status.ts';
import type { GroupStatus } from '../group-status.ts';
import { colorLevel } from '../render/color.ts';
import { paintFor } from '../render/plain.ts';
import { statusLine, statusLines } from '../render/status-text.ts';
import { wrap } from '../render/table.ts';
import { lookEverywhere } from '../store-sight.ts';
import { exitCodeOf } from './status.ts';

const REDRAW_INTERVAL_MS = 500;

/** Shows the group until SIGINT or SIGTERM; the exit code is that of the last look. */
export async function watchStatus(
  options: ClientOptions & { readonly json: boolean },
): Promise<void> {
  const end = endOnSignal();
  const live = knowsItsSize(process.stdout) && !options.json;
  const show = live ? await liveView(end) : lines(options.json);
  try {
    while (!end.aborted) {
      const seen = groupStatusOf(await lookEverywhere(options));
      process.exitCode = exitCodeOf(seen);
      show.draw(seen);
      await wait(REDRAW_INTERVAL_MS, undefined, { signal: end }).catch(() => undefined);
    }
  } finally {
    show.done();
  }
}

/** Some terminals say that they have no rows: nothing could be redrawn there. */
function knowsItsSize({ isTTY, rows, columns }: typeof process.stdout): boolean {
  return isTTY && rows > 0 && columns > 0;
}

interface View {
  draw(seen: GroupStatus): void;
  done(): void;
}

async function liveView(end: AbortSignal): Promise<View> {
  const { createLogUpdate } = await import('log-update');
  const paint = await paintFor(colorLevel(process.stdout));
  const update = createLogUpdate(process.stdout);
  let last: GroupStatus | null = null;
  const draw = (): void => {
    if (last === null || end.aborted) return;
    update(
      [...fitting(statusLines(last, paint)), '', paint.faint('Ctrl-C ends this view.')].join('\n'),
    );
  };
  process.stdout.on('resize', draw);
  return {
    draw: (seen) => {
      last = seen;
      draw();
    },
    done: () => {
      process.stdout.off('resize', draw);
      // The last view stays, the cursor comes back.
      update.done();
    },
  };
}

/** What is taller than the terminal would scroll away and stay: its end is left out. */
function fitting(all: readonly string[]): readonly string[] {
  const { columns, rows } = process.stdout;
  const wrapped = all.flatMap((line) => wrap(line, Math.max(20, columns)));
  const room = Math.max(1, rows - 3);
  return wrapped.length <= room ? wrapped : [...wrapped.slice(0, room - 1), '…'];
}

/** One line for each change, so that a log shows what happened and not that time passed. */
function lines(json: boolean): View {
  let last = '';
  return {
    draw: (seen) => {
      const change = statusLine(seen);
      if (change === last) return;
      last = change;
      const text = json ? JSON.stringify(seen) : `${new Date().toISOString()} ${change}`;
      process.stdout.write(`${text}\n`);
    },
    done: () => undefined,
  };
}

function endOnSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      controller.abort();
    });
  }
  return controller.signal;
}
