// Where the next process of a workload is started: with which lock, and as whose child. What can be made ready for
// that before it is needed is.
import type { LockDescription, WorkloadLock } from '../runtime/ports.ts';
import { spawnGated } from './gate.ts';
import type { GatePlace, SpawnGated, StartAhead } from './gate.ts';
import type { StartLock } from './workload-lock.ts';

export interface StartPlace {
  /** Not locked as yet. */
  readonly description: StartLock;
  readonly spawn: SpawnGated;
  /** Nothing was started there, and nothing will be. */
  readonly leave: () => void;
}

/** A place in another process; null: none can be had now. @throws as `WorkloadLock.open` */
export type PlaceElsewhere = (lock: WorkloadLock) => StartPlace | null;

let elsewhere: PlaceElsewhere = () => null;

/** From now on, to the end of the process. */
export function startElsewhere(places: PlaceElsewhere): void {
  elsewhere = places;
}

export interface StartPlacesParts {
  readonly lock: WorkloadLock;
  readonly output: GatePlace['output'];
  readonly spawn?: SpawnGated | undefined;
  readonly startAhead?: StartAhead | undefined;
}

export class StartPlaces {
  readonly #parts: StartPlacesParts;
  #ready: StartPlace | null = null;

  constructor(parts: StartPlacesParts) {
    this.#parts = parts;
  }

  /**
   * The one that is ready, if there is one. With `mayBeElsewhere` it may be that of another process that starts what this
   * one runs, and ends it with this one.
   *
   * @throws as `WorkloadLock.open`
   */
  take({ mayBeElsewhere = false }: { readonly mayBeElsewhere?: boolean } = {}): StartPlace {
    const ready = this.#ready;
    this.#ready = null;
    if (ready !== null && !ready.description.isReplaced()) return ready;
    ready?.leave();
    const { lock, spawn = spawnGated, output } = this.#parts;
    // The output of what a guard starts, or is read here, can't come from there.
    if (mayBeElsewhere && this.#parts.spawn === undefined && output === 'inherit') {
      const place = elsewhere(lock);
      if (place !== null) return place;
    }
    const description = lock.open();
    const leave = (): void => {
      description.close();
    };
    return { description, spawn, leave };
  }

  /** Makes one ready. Never throws: the start that it was for takes longer then. */
  prepare(): void {
    const { lock, startAhead, output } = this.#parts;
    if (startAhead === undefined) return;
    if (this.#ready?.description.isReplaced() === false) return;
    this.#ready?.leave();
    try {
      this.#ready = placeAhead(lock.open(), { startAhead, output }, (gone) => {
        if (this.#ready === gone) this.#ready = null;
      });
    } catch {
      this.#ready = null;
    }
  }
}

/** A place made ahead; closed by whoever takes it, or when it cannot be used any more. */
function placeAhead(
  description: LockDescription,
  { startAhead, output }: { readonly startAhead: StartAhead; readonly output: GatePlace['output'] },
  onGone: (place: StartPlace) => void,
): StartPlace {
  try {
    const ahead = startAhead({ lockFd: description.fd, output }, () => {
      description.close();
      onGone(place);
    });
    const leave = (): void => {
      ahead.dismiss();
      description.close();
    };
    const place: StartPlace = { description, spawn: ahead.spawn, leave };
    return place;
  } catch (error) {
    description.close();
    throw error;
  }
}
