// What the benchmark asks of processes: who started them, what they take, and signals to them.
import { readFileSync, readdirSync } from 'node:fs';

/** All that a process has started, itself included, also in other sessions. @param {number} pid @returns {number[]} */
export function familyOf(pid) {
  const parents = new Map(allPids().map((each) => [each, fieldsOf(each)[1]]));
  const family = [pid];
  for (const each of family) {
    for (const [child, parent] of parents) if (Number(parent) === each) family.push(child);
  }
  return family;
}

/** @param {number} pid */
export function childrenOf(pid) {
  return allPids().filter((each) => Number(fieldsOf(each)[1]) === pid);
}

/** With blanks between its words. @param {number} pid */
export function commandLineOf(pid) {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** @param {number} pid */
export function cpuTicks(pid) {
  const fields = fieldsOf(pid);
  return Number(fields[11]) + Number(fields[12]);
}

/** @param {number} pid */
export function pssKib(pid) {
  const rollup = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]);
}

/** @param {number} kib */
export function mib(kib) {
  return `${(kib / 1024).toFixed(1)} MiB`;
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
export function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

function allPids() {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** From the state on: what comes before it may hold anything. @param {number} pid */
function fieldsOf(pid) {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
