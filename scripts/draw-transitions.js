// Draws the table of transitions: a Mermaid diagram by role, and a table with the sentence of each row.

/**
 * @typedef {{ from: readonly string[], to: string, on: string, sentence: string }} Row
 * @typedef {Readonly<Record<string, string>>} RoleOfPhase
 */

/** One colour for each role: the phases of a role are one group in the picture. */
const COLOURS = {
  secondary: 'fill:#e8f1fb,stroke:#3b78b5,color:#000',
  candidate: 'fill:#fdf3dc,stroke:#b98a1d,color:#000',
  primary: 'fill:#e4f5e6,stroke:#3d8f47,color:#000',
  stopped: 'fill:#eeeeee,stroke:#777777,color:#000',
};

/**
 * A state diagram of all rows; rows between the same two phases share an arrow.
 * @param {Readonly<Record<string, Row>>} transitions
 * @param {RoleOfPhase} roleOf
 * @returns {string}
 */
export function transitionsDiagram(transitions, roleOf) {
  const rows = Object.values(transitions);
  const lines = ['```mermaid', 'stateDiagram-v2', '    [*] --> listening'];
  for (const [role, colour] of Object.entries(COLOURS)) {
    const phases = Object.keys(roleOf).filter((phase) => roleOf[phase] === role);
    lines.push(`    %% ${role}`, `    classDef ${role} ${colour}`);
    lines.push(`    class ${phases.join(',')} ${role}`);
    for (const from of phases) lines.push(...arrowsFrom(from, rows));
  }
  return [...lines, '    stopped --> [*]', '```', ''].join('\n');
}

/**
 * @param {string} from
 * @param {readonly Row[]} rows
 * @returns {string[]}
 */
function arrowsFrom(from, rows) {
  /** @type {Map<string, string[]>} */
  const causes = new Map();
  for (const row of rows.filter((candidate) => candidate.from.includes(from))) {
    causes.set(row.to, [...(causes.get(row.to) ?? []), row.on]);
  }
  return [...causes].map(([to, on]) => `    ${from} --> ${to}: ${on.join(' / ')}`);
}

/**
 * Every row with what is logged then.
 * @param {Readonly<Record<string, Row>>} transitions
 * @returns {string}
 */
export function transitionsTable(transitions) {
  const lines = ['| from | on | to | what is logged |', '| --- | --- | --- | --- |'];
  for (const { from, on, to, sentence } of Object.values(transitions)) {
    lines.push(`| ${from.join(', ')} | ${on} | ${to} | ${sentence} |`);
  }
  return [...lines, ''].join('\n');
}
