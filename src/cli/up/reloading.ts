// Reads the file of groups again: all of what it says is taken, or nothing.
import type { GroupFile } from '../../config/group-file/load-group-file.ts';
import { PROCESS_KEYS } from '../../config/up-options.ts';
import { FailoverError } from '../../errors.ts';
import type { Logger } from '../render/log.ts';
import type { Changes, Fleet } from './fleet.ts';
import { refuseUnready } from './unready.ts';

export interface ReloadingParts {
  readonly fleet: Pick<
    Fleet,
    'change' | 'changed' | 'differences' | 'ending' | 'isEnding' | 'notRunning' | 'untilDone'
  >;
  /** What runs now is as this one says. */
  readonly file: GroupFile;
  /** @throws FAILOVER_BAD_CONFIG and all that reading it does */
  readonly read: () => GroupFile;
  readonly log: Logger;
  /** Told once the groups are as a new file says. */
  readonly onTaken?: () => void;
}

export class Reloading {
  readonly #parts: ReloadingParts;
  #isUnderWay = false;
  /** Asked for while one was under way: one more, however often. */
  #isAskedAgain = false;

  constructor(parts: ReloadingParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async reload(): Promise<void> {
    if (this.#isUnderWay) {
      this.#isAskedAgain = true;
      const { log, fleet } = this.#parts;
      const waiting = part('waiting for the end of', fleet.ending);
      const fact = ['a reload is in progress', ...waiting].join(', ');
      log.info({ event: 'reloading', reason: `${fact}; the file is reloaded afterwards` });
      return;
    }
    this.#isUnderWay = true;
    try {
      await this.#parts.fleet.untilDone(async () => {
        await this.#reloadOnce();
        while (this.#takeNext()) await this.#reloadOnce();
      });
    } finally {
      this.#isUnderWay = false;
    }
  }

  #takeNext(): boolean {
    const isAsked = this.#isAskedAgain;
    this.#isAskedAgain = false;
    return isAsked;
  }

  async #reloadOnce(): Promise<void> {
    const { fleet, log } = this.#parts;
    const file = await this.#readOrRefuse();
    if (file === null || fleet.isEnding) return;
    const changes = fleet.differences(file.groups);
    log.info({
      event: 'reloading',
      reason: `Reloaded ${file.path}: ${textOf(changes)}`,
      ...changes,
    });
    await fleet.change(file.groups);
    this.#parts.onTaken?.();
    const missing = part('not running', fleet.notRunning);
    const fact = [`The groups match ${file.path}`, ...missing].join('; ');
    log.info({ event: 'reloaded', reason: fact });
  }

  async #readOrRefuse(): Promise<GroupFile | null> {
    const { file, fleet, read, log } = this.#parts;
    try {
      const next = read();
      refuseOtherProcess(file, next);
      await refuseUnready(next.path, fleet.changed(next.groups));
      return next;
    } catch (error) {
      if (!(error instanceof FailoverError)) throw error;
      const { message, hint, facts } = error;
      log.error({ event: 'reload-refused', reason: `Nothing changed: ${message}. ${hint}` });
      for (const reason of facts) log.error({ event: 'reload-refused', reason });
      return null;
    }
  }
}

/** Sockets, directories and what answers over HTTP are those of the process, to its end. @throws FAILOVER_BAD_CONFIG */
function refuseOtherProcess(before: GroupFile, after: GroupFile): void {
  const changed = PROCESS_KEYS.filter((key) =>
    key === 'prefix' ? before.prefix !== after.prefix : before.common[key] !== after.common[key],
  );
  if (changed.length === 0) return;
  const message = `Cannot apply ${after.path} while running: ${changed.join(', ')} changed`;
  const hint = 'Restart `failover up` to apply that, or revert it.';
  throw new FailoverError('FAILOVER_BAD_CONFIG', message, { hint });
}

function textOf({ started, stopped, restarted }: Changes): string {
  const parts = [
    ...part('starting', started),
    ...part('stopping', stopped),
    ...part('stopping and restarting', restarted),
  ];
  return parts.length === 0 ? 'nothing has changed' : parts.join(', ');
}

function part(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length - NAMED;
  const named = names.slice(0, NAMED).join(', ');
  return [`${what} ${named}${more > 0 ? ` and ${String(more)} more` : ''}`];
}

/** The most that one line names. */
const NAMED = 10;
