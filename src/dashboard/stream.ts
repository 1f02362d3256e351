// The events of the server, for as long as the page is open: a connection that is lost is made again, ever more seldom.
import type { GroupsView, GroupView, ProblemView, PulseView, TransitionView } from './wire.ts';

/** From one attempt to the next, ms: doubles from the first to the second. */
const BACKOFF_MS = [500, 15_000] as const;

/** The server says every ten seconds that it is there: without any of it for so long the connection is dead, ms. */
const SILENCE_MS = 25_000;

export type Connection =
  | { readonly is: 'open' }
  | { readonly is: 'connecting' }
  | { readonly is: 'lost'; readonly since: number; readonly nextAt: number };

export interface StreamListener {
  readonly onGroups: (names: readonly string[]) => void;
  readonly onStatus: (status: GroupView) => void;
  readonly onTransition: (transition: TransitionView) => void;
  readonly onPulse: (pulse: PulseView) => void;
  readonly onProblem: (problem: ProblemView) => void;
  readonly onConnection: (connection: Connection) => void;
}

export class Stream {
  readonly #listener: StreamListener;
  #source: EventSource | null = null;
  /** All that is remembered at first, then what was missed. */
  #lastId = '0';
  #waitMs: number = BACKOFF_MS[0];
  #lostSince: number | null = null;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: StreamListener) {
    this.#listener = listener;
    window.addEventListener('online', () => {
      if (this.#source === null) this.connect();
    });
  }

  connect(): void {
    clearTimeout(this.#retry);
    if (this.#lostSince === null) this.#listener.onConnection({ is: 'connecting' });
    const source = new EventSource(`/events?after=${encodeURIComponent(this.#lastId)}`);
    this.#source = source;
    const { onGroups, onStatus, onTransition, onPulse, onProblem } = this.#listener;
    this.#hear(source, 'groups', ({ groups }: GroupsView) => {
      this.#isOpen();
      onGroups(groups);
    });
    this.#hear(source, 'status', onStatus);
    this.#hear(source, 'transition', onTransition);
    this.#hear(source, 'pulse', onPulse);
    this.#hear(source, 'problem', onProblem);
    this.#hear(source, 'here', () => undefined);
    source.onerror = () => {
      if (this.#source === source) this.#lost();
    };
    this.#listen();
  }

  #hear(source: EventSource, name: string, then: (data: never) => void): void {
    source.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
      if (this.#source !== source) return;
      if (lastEventId !== '') this.#lastId = lastEventId;
      this.#listen();
      // The server is of the same version as this page, which it has served.
      then(JSON.parse(data) as never);
    });
  }

  #isOpen(): void {
    this.#waitMs = BACKOFF_MS[0];
    this.#lostSince = null;
    this.#listener.onConnection({ is: 'open' });
  }

  /** A connection may be dead without an error. */
  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#lost();
    }, SILENCE_MS);
  }

  #lost(): void {
    clearTimeout(this.#silence);
    this.#source?.close();
    this.#source = null;
    this.#lostSince ??= Date.now();
    const waitMs = this.#waitMs * (0.75 + Math.random() / 2);
    this.#waitMs = Math.min(this.#waitMs * 2, BACKOFF_MS[1]);
    const nextAt = Date.now() + waitMs;
    this.#listener.onConnection({ is: 'lost', since: this.#lostSince, nextAt });
    this.#retry = setTimeout(() => {
      this.connect();
    }, waitMs);
  }
}
