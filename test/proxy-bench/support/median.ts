// What is in the middle of several measurements.

export function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Who is measured next to whom makes a difference: the order is the other way round in every other round. */
export function inTurn<Each>(all: readonly Each[], round: number): readonly Each[] {
  return round % 2 === 0 ? all : [...all].reverse();
}

/** The middle of what one is of the other in the same round: what the machine is busy with is as much for both. */
export function besidePlain(ours: readonly number[], plain: readonly number[]): string {
  return median(ours.map((each, round) => each / (plain[round] ?? Number.NaN))).toFixed(2);
}
