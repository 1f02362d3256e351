// A visitor of the gate that writes down what it is told.
import { Gate } from '../../../src/proxy/gate.ts';
import type { GateOptions, Place, Visitor } from '../../../src/proxy/gate.ts';
import type { PrimaryTerm } from '../../../src/proxy/primary-source.ts';
import type { Clock } from '../../../src/runtime/ports.ts';
import { HandClock } from './hand-clock.ts';

export interface Scene {
  readonly gate: Gate;
  readonly clock: HandClock;
  /** What each visitor was told, in order: `x goes to a/1`. */
  readonly told: string[];
  /** Sends visitors to the gate; those that could not be held are told as refused. */
  readonly enter: (...names: readonly string[]) => void;
  readonly placeOf: (name: string) => Place;
}

/** @param onCut what a visitor does whose primary is gone @param ticking the clock of the gate, in place of that by hand */
export function sceneOf(
  limits: Partial<GateOptions['hold']> & { readonly slots?: number } = {},
  onCut: (gate: Gate, place: Place) => void = (gate, place) => {
    gate.leave(place);
  },
  ticking: Clock | null = null,
): Scene {
  const { slots = 256, requests = 1_000, bytes = 1_000, waitMs = 30_000 } = limits;
  const clock = new HandClock();
  const gate = new Gate({ hold: { requests, bytes, waitMs }, slots, clock: ticking ?? clock });
  const told: string[] = [];
  const places = new Map<string, Place>();
  const visitorOf = (name: string): Visitor => ({
    go: ({ node, epoch }, place) => {
      places.set(name, place);
      told.push(`${name} goes to ${String(node)}/${String(epoch)}`);
    },
    refuse: (why) => told.push(`${name} is refused: ${why}`),
    close: () => told.push(`${name} is to close`),
    cut: (reason) => {
      told.push(`${name} is cut: ${reason}`);
      onCut(gate, placeOf(name));
    },
  });
  const placeOf = (name: string): Place => {
    const place = places.get(name);
    if (place === undefined) throw new Error(`${name} has no place`);
    return place;
  };
  const enter = (...names: readonly string[]): void => {
    for (const name of names) {
      const place = gate.enter(visitorOf(name));
      if (place === null) told.push(`${name} cannot be held`);
      else places.set(name, place);
    }
  };
  return { gate, clock, told, enter, placeOf };
}

export function termOf(node: string, epoch: number): PrimaryTerm {
  return { node, epoch, target: `http://${node}:80` };
}
