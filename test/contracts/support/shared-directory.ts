// A directory of the test's own in the place of one that machines share, and a way to it that can be cut: each request
// is one byte to a server, which does it there and answers with another.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseLease } from '../../../src/config/lease-url.ts';
import type { FileDirectory } from '../../../src/config/lease-url.ts';
import type { RemoteStore } from '../../../src/lease/remote-store.ts';
import { firstBeat, freeBeat } from '../../../src/lease/timed-file/beat.ts';
import { timedFileLease } from '../../../src/lease/timed-file/timed-file-lease.ts';
import { timedPaths } from '../../../src/lease/timed-file/timed-paths.ts';
import { latestTurn, turnText } from '../../../src/lease/timed-file/turns.ts';
import { monotonicNow } from '../../../src/runtime/clock.ts';
import { recordOf } from './stage.ts';
import type { OpenOptions, StoreUnderTest } from './stage.ts';

export class SharedDirectory implements StoreUnderTest {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'failover-shared-'));
  readonly #isTrusted: boolean;
  readonly #server: Server;
  readonly #acts = new Map<string, () => Promise<unknown>>();
  readonly #sockets = new Set<Socket>();
  #frozen: (() => void)[] | null = null;

  private constructor(isTrusted: boolean) {
    this.#isTrusted = isTrusted;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (id) => {
        const answer = (): void => {
          const act = this.#acts.get(id.toString());
          const tell = (): boolean => socket.write('.');
          // Its asker learns from the answer itself how it went.
          act?.().then(tell, tell);
        };
        if (this.#frozen === null) answer();
        else this.#frozen.push(answer);
      });
    });
  }

  /** @param isTrusted whether somebody has led there before: else nobody does for one time to live */
  static async start(isTrusted: boolean): Promise<SharedDirectory> {
    const shared = new SharedDirectory(isTrusted);
    await new Promise<void>((resolve) => shared.#server.listen(0, '127.0.0.1', resolve));
    return shared;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('it does not listen');
    return address.port;
  }

  async open({
    node,
    proxy,
    group,
    supervisor,
    quietMs,
    ...others
  }: OpenOptions): Promise<RemoteStore> {
    if (this.#isTrusted) ledBefore(this.directory, group);
    const options = {
      address: addressOf(this.directory),
      group,
      record: recordOf(node, supervisor, quietMs),
      ...others,
    };
    const { port } = proxy ?? this;
    const store = timedFileLease({ ...options, now: monotonicNow }, (act) =>
      this.#through(port, act),
    );
    try {
      await store.begin();
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  async loseLease(group: string): Promise<void> {
    const paths = timedPaths(this.directory, group);
    const top = await latestTurn(paths);
    await freeBeat(join(paths.beats, top?.turn?.beat ?? ''));
  }

  /** Who restores it has no copy of the groups. */
  restart(): Promise<void> {
    for (const name of readdirSync(this.directory)) {
      if (!name.startsWith('.')) rmSync(join(this.directory, name), { recursive: true });
    }
    return Promise.resolve();
  }

  freeze(): void {
    this.#frozen ??= [];
  }

  thaw(): void {
    const waiting = this.#frozen ?? [];
    this.#frozen = null;
    for (const answer of waiting) answer();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #through<Answer>(port: number, act: () => Promise<Answer>): Promise<Answer> {
    const id = randomBytes(8).toString('hex');
    const done: Promise<Answer>[] = [];
    this.#acts.set(id, () => {
      const doing = act();
      done.push(doing);
      return doing;
    });
    const socket = createConnection({ host: '127.0.0.1', port });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        socket.on('close', () => {
          reject(new Error('it was cut off'));
        });
        socket.on('data', () => {
          resolve();
        });
        socket.write(id);
      });
      const [answer] = done;
      if (answer === undefined) throw new Error('it was not done');
      return await answer;
    } finally {
      this.#acts.delete(id);
      socket.destroy();
    }
  }
}

export function addressOf(directory: string): FileDirectory {
  const address = parseLease(`file:${directory}`);
  if (address.kind !== 'timed-file') throw new Error(`${directory} is no address`);
  return address;
}

/** Somebody has led the group before, and has given the lease back: nobody has to wait. */
export function ledBefore(directory: string, group: string): void {
  const { timed, turns, beats } = timedPaths(directory, group);
  for (const path of [join(timed, '..'), timed, turns, beats]) mkdirSync(path, { recursive: true });
  if (readdirSync(turns).length > 0) return;
  const beat = '1-0';
  writeFileSync(join(beats, beat), firstBeat().replace(/^beat 0/, 'free  '));
  const nobody = { epoch: 0, node: null, run: null, record: null };
  writeFileSync(join(turns, '1'), turnText({ ...nobody, beat, ttlMs: 1 }));
}
