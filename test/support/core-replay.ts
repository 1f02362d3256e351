// Replays a scenario: its events one by one under virtual time, and what follows from each, in words.
import type { Event } from '../../src/core/event.ts';
import { nextWakeAt } from '../../src/core/schedule.ts';
import type { Settings } from '../../src/core/settings.ts';
import { initialState } from '../../src/core/state.ts';
import type { NodeState, Phase } from '../../src/core/state.ts';
import { transition } from '../../src/core/transition.ts';
import type { TransitionId } from '../../src/core/transitions.ts';
import { eventFromWords } from './core-events.ts';
import { DEFAULT_SETTINGS, settingsFromWords } from './core-settings.ts';
import { effectInWords, isRoutine, stateInWords } from './core-wording.ts';
import { Words } from './core-words.ts';

export interface Scenario {
  readonly title: string;
  /** Everything but the expectations. */
  readonly script: readonly string[];
  readonly text: string;
}

interface Visit {
  readonly row: TransitionId;
  readonly from: Phase;
}

export interface Replay {
  readonly text: string;
  readonly visits: readonly Visit[];
  readonly state: NodeState;
}

/** The scenarios of one file: each begins with `== title`. */
export function parseScenarios(text: string): readonly Scenario[] {
  return text
    .split(/^(?=== )/m)
    .filter((part) => part.startsWith('== '))
    .map((part) => {
      const lines = part.trimEnd().split('\n');
      return {
        title: (lines[0] ?? '').slice(3),
        script: lines.filter((line) => !/^(?: {2}|\.\.|=[^=])/.test(line)),
        text: lines.join('\n'),
      };
    });
}

export function replay(scenario: Scenario): Replay {
  const stage = new Stage();
  for (const line of scenario.script) {
    try {
      stage.play(line);
    } catch (error) {
      throw new Error(`${scenario.title}: ${line}`, { cause: error });
    }
  }
  return stage.end();
}

/** More wakes than this at one instant mean that time no longer passes. */
const WAKE_LIMIT = 100;

class Stage {
  #settings: Settings = DEFAULT_SETTINGS;
  #state: NodeState = initialState(0, 1);
  #at = 0;
  #asleepUntil = 0;
  #showAll = false;
  readonly #visits: Visit[] = [];
  readonly #lines: string[] = [];

  play(line: string): void {
    const [verb, rest] = splitFirst(line);
    switch (verb) {
      case 'settings':
        this.#lines.push(line);
        this.#settings = settingsFromWords(new Words(rest).all);
        return;
      case 'show':
        this.#lines.push(line);
        this.#showAll = true;
        return;
      case 'at': {
        const [when, what] = splitFirst(rest);
        const [name, words] = splitFirst(what);
        this.#passTimeUntil(this.#timeOf(when));
        this.#lines.push(line);
        this.#step({ ...eventFromWords(name, words), at: this.#at });
        return;
      }
      case 'until':
        this.#passTimeUntil(this.#timeOf(rest));
        this.#lines.push(line);
        return;
      case 'asleep':
        this.#lines.push(line);
        this.#asleepUntil = this.#timeOf(splitFirst(rest)[1]);
        return;
      case 'given':
        this.#lines.push(line);
        this.#begin(...splitFirst(rest));
        return;
      case 'hears':
        this.#hear(line, rest);
        return;
      default:
        this.#lines.push(line);
    }
  }

  end(): Replay {
    this.#lines.push(`= ${stateInWords(this.#state)}`);
    return { text: this.#lines.join('\n'), visits: this.#visits, state: this.#state };
  }

  /** A beginning that other scenarios tell: nothing of it is written down. */
  #begin(what: string, words: string): void {
    const lines =
      what === 'following'
        ? followingWords(words, this.#settings)
        : servingWords(words, this.#settings);
    const shown = this.#lines.length;
    for (const line of lines) this.play(`at 0 ${line}`);
    this.#lines.length = shown;
  }

  /** Heartbeats at every interval until a time: `hears until=5000 from=a epoch=3`. */
  #hear(line: string, rest: string): void {
    const until = this.#timeOf(/until=(\S+)/.exec(rest)?.[1] ?? '');
    const words = rest.replace(/until=\S+/, '');
    this.#lines.push(line);
    for (let at = this.#at; at <= until; at += this.#settings.heartbeatIntervalMs) {
      this.#passTimeUntil(at);
      this.#step({ ...eventFromWords('heartbeat-received', words), at });
    }
    this.#passTimeUntil(until);
  }

  #timeOf(text: string): number {
    const at = text.startsWith('+') ? this.#at + Number(text.slice(1)) : Number(text);
    if (Number.isNaN(at) || at < this.#at) throw new Error(`${text} is no time from here on`);
    return at;
  }

  /** Wakes the node whenever it asked for it, before `at`. */
  #passTimeUntil(at: number): void {
    let wakes = 0;
    for (;;) {
      const wakeAt = Math.max(nextWakeAt(this.#state, this.#settings), this.#at, this.#asleepUntil);
      if (wakeAt >= at) break;
      wakes = wakeAt > this.#at ? 0 : wakes + 1;
      if (wakes > WAKE_LIMIT)
        throw new Error(`woken ${String(WAKE_LIMIT)} times at ${String(wakeAt)}`);
      this.#at = wakeAt;
      this.#step({ type: 'time-passed', at: wakeAt }, `.. ${String(Math.round(wakeAt))}`);
    }
    this.#at = at;
  }

  #step(event: Event, header?: string): void {
    const from = this.#state.phase;
    const { state, effects, move, reason } = transition(this.#state, event, this.#settings);
    this.#state = state;
    const lines: string[] = [];
    if (move !== null) {
      this.#visits.push({ row: move, from });
      lines.push(`  -> ${state.phase}: ${reason}`);
    }
    for (const effect of effects) {
      if (this.#showAll || !isRoutine(effect)) lines.push(`  ! ${effectInWords(effect)}`);
    }
    if (header !== undefined && lines.length > 0) this.#lines.push(header);
    this.#lines.push(...lines);
  }
}

/** `given following from=a epoch=3 succession=b,c`: a standby of a primary that answers. */
function followingWords(text: string, settings: Settings): readonly string[] {
  const words = new Words(text);
  const [from, epoch] = [words.text('from', 'a'), words.text('epoch', '3')];
  return [
    'started',
    ...(settings.standby === 'cold' ? [] : ['workload-armed']),
    `lease-observed holder=${from} epoch=${epoch} touch=t0`,
    `probe-answered probe=1 run=${from}1 epoch=${epoch}`,
    `heartbeat-received from=${from} epoch=${epoch} succession=${words.text('succession', 'b')}`,
  ];
}

/** `given serving epoch=3`: a primary. */
function servingWords(text: string, settings: Settings): readonly string[] {
  const { leaseTtlMs } = settings;
  const granted = leaseTtlMs > 0 ? ` asked=0 ttl=${String(leaseTtlMs)}` : '';
  return [
    'started',
    'workload-armed',
    'lease-observed',
    `lease-granted epoch=${new Words(text).text('epoch', '3')}${granted}`,
    'leftovers-cleared',
    'workload-activated',
    ...(settings.hasReadyCheck ? ['workload-ready'] : []),
    ...(settings.hasPromoteCommand ? ['hook-finished hook=promote'] : []),
  ];
}

function splitFirst(text: string): readonly [string, string] {
  const [, first = '', rest = ''] = /^(\S*)\s*(.*)$/.exec(text) ?? [];
  return [first, rest];
}
