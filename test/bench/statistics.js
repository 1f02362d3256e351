// Medians and their friends; no average ever hides a slow one.

/** @param {number[]} values */
export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    n: sorted.length,
    median: at(sorted, 0.5),
    p99: at(sorted, 0.99),
    max: sorted.at(-1) ?? Number.NaN,
  };
}

/**
 * Nearest rank.
 * @param {number[]} sorted
 * @param {number} share
 */
function at(sorted, share) {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** @param {number} value */
export function ms(value) {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}
