// The live view of `failover status --watch`: looks, draws and obeys keys until it is ended.
import { setTimeout as wait } from 'node:timers/promises';
import type { ClientOptions } from '../../config/load.ts';
import { exitCodeOf, exitCodeOfAll } from '../commands/status.ts';
import type { Meant } from '../commands/status.ts';
import { groupStatusOf } from '../group-status.ts';
import { lookAtGroups, optionsFor } from '../groups.ts';
import { colorLevel } from '../render/color.ts';
import type { Paint } from '../render/paint.ts';
import { paintFor } from '../render/plain.ts';
import { lookEverywhere } from '../store-sight.ts';
import { makeChange } from './changes.ts';
import { Terminal } from './terminal.ts';
import { pageRows, viewLines } from './view-lines.ts';
import { pressed, viewOf } from './view.ts';
import type { Change, Message, Sight, View } from './view.ts';

/** From one look to the next, ms; at least as long as looking takes, so that it has half of a processor at most. */
const LOOK_INTERVAL_MS = 500;

/** Shows it until `end`, or until a key ends it; the exit code is that of the last look. */
export async function showLive(meant: Meant, end: AbortController): Promise<void> {
  const paint = await paintFor(colorLevel(process.stdout));
  const live = new LiveView(meant, end, paint);
  // What can't be looked at at all is an error like that of any command.
  await live.look();
  if (!end.signal.aborted) await live.show();
}

class LiveView {
  readonly #meant: Meant;
  readonly #end: AbortController;
  readonly #paint: Paint;
  readonly #terminal: Terminal;
  #view: View;
  #sight: Sight = { groups: [], status: null };
  /** Ended by whatever makes the present look, or the wait for the next one, pointless. */
  #turn = new AbortController();
  #isChanging = false;
  /** How long the last look took. */
  #tookMs = 0;
  /** What ends the view where nobody waits for it; null: nothing has. */
  #failure: { readonly error: unknown } | null = null;

  constructor(meant: Meant, end: AbortController, paint: Paint) {
    this.#meant = meant;
    this.#end = end;
    this.#paint = paint;
    this.#view = viewOf('one' in meant ? meant.one.group : null);
    this.#terminal = new Terminal(
      {
        onKey: (key) => {
          this.#press(key);
        },
        onRedraw: () => {
          this.#draw();
        },
      },
      end.signal,
    );
  }

  async show(): Promise<void> {
    this.#end.signal.addEventListener('abort', () => {
      this.#turn.abort();
    });
    this.#terminal.open();
    try {
      while (!this.#end.signal.aborted) {
        this.#draw();
        await this.#pause();
        await this.look();
      }
    } finally {
      this.#terminal.close();
    }
    if (this.#failure !== null) throw this.#failure.error;
    this.#leaveLast();
  }

  async look(): Promise<void> {
    const { signal } = this.#turn;
    const { group } = this.#view;
    const startedAt = performance.now();
    if (group === null) await this.#lookAtAll(signal);
    else await this.#lookAtOne(group, signal);
    this.#tookMs = performance.now() - startedAt;
  }

  async #lookAtAll(signal: AbortSignal): Promise<void> {
    if (!('search' in this.#meant)) return;
    const groups = await lookAtGroups(this.#meant.search, signal);
    if (signal.aborted) return;
    this.#sight = { groups, status: null };
    process.exitCode = exitCodeOfAll(groups);
  }

  async #lookAtOne(group: string, signal: AbortSignal): Promise<void> {
    const status = groupStatusOf(await lookEverywhere(this.#optionsOf(group)));
    // Meanwhile another view may have been asked for.
    if (signal.aborted) return;
    this.#sight = { ...this.#sight, status };
    process.exitCode = exitCodeOf(status);
  }

  #optionsOf(group: string): ClientOptions {
    return 'one' in this.#meant ? this.#meant.one : optionsFor(group, this.#meant.search);
  }

  async #pause(): Promise<void> {
    const pauseMs = Math.max(LOOK_INTERVAL_MS, this.#tookMs);
    await wait(pauseMs, undefined, { signal: this.#turn.signal }).catch(() => undefined);
    if (!this.#end.signal.aborted) this.#turn = new AbortController();
  }

  #press(key: string): void {
    const before = this.#view;
    const rows = pageRows(this.#terminal.size);
    const { view, change, ends } = pressed(before, key, this.#sight, rows);
    this.#view = view;
    if (ends) {
      this.#end.abort();
      return;
    }
    if (view.group !== before.group) this.#open(view.group);
    if (change !== null) {
      this.#change(change).catch((error: unknown) => {
        this.#failure = { error };
        this.#end.abort();
      });
    }
    this.#draw();
  }

  /** What the list knows of a group is shown until it was looked at. */
  #open(group: string | null): void {
    const known = this.#sight.groups.find((seen) => seen.group === group);
    this.#sight = { ...this.#sight, status: known?.status ?? null };
    this.#turn.abort();
  }

  async #change(change: Change): Promise<void> {
    this.#isChanging = true;
    const message = await makeChange(change, this.#optionsOf(change.group), (said) => {
      this.#tell(said);
    });
    this.#isChanging = false;
    this.#tell(message);
    this.#turn.abort();
  }

  #tell(message: Message): void {
    this.#view = { ...this.#view, message };
    this.#draw();
  }

  #draw(): void {
    if (this.#end.signal.aborted) return;
    const { size, takesKeys } = this.#terminal;
    this.#terminal.draw(
      viewLines(this.#view, this.#sight, { size, takesKeys, isPinned: true, paint: this.#paint }),
    );
  }

  /** The last view stays where the command was given. */
  #leaveLast(): void {
    const { size } = this.#terminal;
    const look = { size, takesKeys: false, isPinned: false, paint: this.#paint };
    const lines = viewLines({ ...this.#view, isHelp: false }, this.#sight, look);
    process.stdout.write(`${lines.slice(0, -2).join('\n')}\n`);
    if (!this.#isChanging) return;
    process.stdout.write('The request may still be carried out.\n');
    // Its answer is waited for by nobody any more.
    process.exit();
  }
}
