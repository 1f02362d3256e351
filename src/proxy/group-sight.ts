// What a proxy sees of a group without taking part in it: who holds the lease, and the nodes on record.
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoints } from '../core/state.ts';
import { GroupWatch } from '../lease/file/group-watch.ts';
import { groupPaths } from '../lease/file/group-paths.ts';
import { GroupView } from '../lease/file/group-view.ts';
import { lookingParts } from '../lease/file/looking-parts.ts';
import { listNodes } from '../lease/file/node-registry.ts';
import type { RemoteStore } from '../lease/remote-store.ts';

export interface SeenMember {
  readonly node: string;
  readonly run: string;
  readonly endpoints: Endpoints;
  readonly target: string | null;
}

export interface Sight {
  /** The highest epoch ever claimed; 0: none. */
  readonly epoch: number;
  /** Whose it is; null: that can't be read. */
  readonly holder: { readonly node: string; readonly run: string } | null;
  readonly members: readonly SeenMember[];
}

/** One group as it can be looked at again and again; nothing is taken, made or changed. */
export interface GroupSight {
  /** Where it is looked for. */
  readonly place: string;
  /** Null: there is no such group here, or not yet. Rejects where what keeps it does not answer. */
  look(): Promise<Sight | null>;
  /** Calls back when an epoch was claimed, or may have been. */
  watch(onChange: () => void): void;
  close(): Promise<void>;
}

/** A group whose lease is in the state directory. */
export class FileSight implements GroupSight {
  readonly place: string;
  readonly #wanted: string;
  #watch: GroupWatch | null = null;
  #onChange: (() => void) | null = null;
  #isClosed = false;

  constructor(stateDir: string, group: string) {
    this.place = stateDir;
    this.#wanted = join(stateDir, group);
  }

  look(): Promise<Sight | null> {
    const directory = realPathOrNull(this.#wanted);
    if (directory === null) return Promise.resolve(null);
    const paths = groupPaths(directory);
    this.#arm(paths);
    // Who holds it now is told by those that lead: a claim alone says who may.
    const { epoch, holder } = new GroupView(lookingParts(paths), () => true).observe();
    const members = listNodes(paths)
      .filter(({ alive, run }) => alive || run === holder?.run)
      .map(({ node, run, endpoints, target = null }) => ({ node, run, endpoints, target }));
    return Promise.resolve({ epoch, holder, members });
  }

  watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#watch?.close();
    return Promise.resolve();
  }

  #arm(paths: ReturnType<typeof groupPaths>): void {
    if (this.#isClosed) return;
    if (this.#watch === null) this.#watch = new GroupWatch(paths, () => this.#onChange?.());
    else this.#watch.check();
  }
}

/** A group whose lease a server keeps. */
export class StoreSight implements GroupSight {
  readonly place = 'the server of its lease';
  readonly #store: RemoteStore;

  constructor(store: RemoteStore) {
    this.#store = store;
  }

  async look(): Promise<Sight> {
    const [{ epoch, holder }, nodes] = await Promise.all([
      this.#store.look(),
      this.#store.listNodes(),
    ]);
    const members = nodes.map(({ node, run, endpoints, target = null }) => {
      return { node, run, endpoints, target };
    });
    return { epoch, holder, members };
  }

  watch(onChange: () => void): void {
    this.#store.watch(onChange);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

function realPathOrNull(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
