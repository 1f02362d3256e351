// `npm run mutants`: breaks a copy of the project in one way after the other; a check has to find each.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { make, makeAll, needsBundle } from './checks.js';
import { MUTANTS } from './list.js';
import { describeCheck } from './mutant.js';
import { Tree, endAll } from './tree.js';

/** @typedef {import('./mutant.js').Mutant} Mutant */
/** @typedef {import('./checks.js').Place} Place */

/**
 * - `killed`: a check found it.
 * - `survived`: no check did.
 * - `invalid`: it could not be tried.
 *
 * @typedef {object} Result
 * @property {string} id
 * @property {'killed' | 'survived' | 'invalid'} outcome
 * @property {string | null} by The check that found it, and what that saw.
 * @property {string} detail Why it could not be tried.
 * @property {number} seconds
 */

const HELP = `Usage: npm run mutants -- [options]

Breaks a copy of this project on purpose, in one way after the other, and shows which check notices.
Exit code 0: every mutant was killed. 1: one survived, or could not be tried. 2: usage.

  --only ID    this mutant; may be repeated
  --list       what there is, without trying it
  --json       the results as JSON
  --jobs N     copies that are worked on at a time (default: 1)
  --help       this text

Example: npm run mutants -- --only epoch-repeated-on-restart
`;

/** @param {string} message @returns {never} */
function usage(message) {
  process.stderr.write(`mutants: ${message}\n`);
  process.exit(2);
}

const ID_WIDTH = Math.max(...MUTANTS.map(({ id }) => id.length));
const FILE_WIDTH = Math.max(...MUTANTS.map(({ file }) => file.length)) - 'src/'.length;

const options = readOptions();
if (options.help) process.stdout.write(HELP);
else if (options.list) showList(options.mutants);
else await tryAll(options.mutants);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        list: { type: 'boolean' },
        json: { type: 'boolean' },
        jobs: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    const unknown = values.only?.find((id) => !MUTANTS.some((mutant) => mutant.id === id));
    if (unknown !== undefined) usage(`there is no mutant "${unknown}"; see --list`);
    const jobs = Number(values.jobs ?? '1');
    if (!Number.isInteger(jobs) || jobs < 1 || jobs > 64) usage('--jobs takes 1 to 64');
    const mutants = MUTANTS.filter(({ id }) => values.only?.includes(id) ?? true);
    const { list = false, json = false, help = false } = values;
    return { mutants, jobs, list, json, help };
  } catch (error) {
    usage(error instanceof Error ? error.message : String(error));
  }
}

/** @param {readonly Mutant[]} mutants */
function showList(mutants) {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(mutants, null, 2)}\n`);
    return;
  }
  for (const { id, breaks, file, says, killers } of mutants) {
    process.stdout.write(`${id} (${breaks}, ${file})\n  ${says}\n`);
    for (const check of killers) process.stdout.write(`  ${describeCheck(check)}\n`);
  }
}

/** @param {readonly Mutant[]} mutants */
async function tryAll(mutants) {
  const directory = mkdtempSync(join(tmpdir(), 'failover-mutants-'));
  const cleanUp = () => {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.once(signal, () => {
      endAll();
      cleanUp();
      process.exit(130);
    });
  }
  try {
    const startedMs = performance.now();
    const results = await Promise.all(
      deal(mutants, options.jobs).map((hand, index) => work(hand, join(directory, String(index)))),
    );
    report(results.flat(), performance.now() - startedMs);
  } finally {
    cleanUp();
  }
}

/**
 * Mutants that share a check stay together, so that it is made once on the whole tree.
 *
 * @param {readonly Mutant[]} mutants
 * @param {number} hands
 * @returns {Mutant[][]}
 */
function deal(mutants, hands) {
  /** @type {Mutant[][]} */
  const dealt = Array.from({ length: Math.min(hands, Math.max(1, mutants.length)) }, () => []);
  mutants.forEach((mutant, index) => dealt[index % dealt.length]?.push(mutant));
  return dealt;
}

/**
 * Tries some mutants, one after the other, in a tree of their own.
 *
 * @param {readonly Mutant[]} mutants
 * @param {string} directory
 * @returns {Promise<Result[]>}
 */
async function work(mutants, directory) {
  mkdirSync(directory);
  const tree = new Tree(join(directory, 'tree'));
  const place = { root: tree.root, temporary: join(directory, 't') };
  mkdirSync(place.temporary);
  const failures = await tryWhole(tree, mutants, place);
  /** @type {Result[]} */
  const results = [];
  for (const mutant of mutants) {
    const startedMs = performance.now();
    const found = await tryMutant(tree, mutant, { failures, place });
    const result = { ...found, id: mutant.id, seconds: (performance.now() - startedMs) / 1_000 };
    if (!options.json) showRow(mutant, result);
    results.push(result);
  }
  return results;
}

/**
 * Makes every check on the whole tree: one that fails there proves nothing.
 *
 * @param {Tree} tree
 * @param {readonly Mutant[]} mutants
 * @param {Place} place
 * @returns {Promise<Map<string, string>>} By the check, why it proves nothing.
 */
async function tryWhole(tree, mutants, place) {
  const said = await tree.build({ bundled: true });
  if (said !== null) throw new Error(`the project does not compile:\n${said}`);
  const checks = new Map(
    mutants.flatMap(({ killers }) => killers.map((check) => [describeCheck(check), check])),
  );
  showProgress(`making ${String(checks.size)} checks on the whole tree`);
  const verdicts = await makeAll([...checks.values()], place);
  /** @type {Map<string, string>} */
  const failures = new Map();
  for (const [check, { outcome }] of verdicts) {
    if (outcome === 'passed') continue;
    // Once more and alone: on a machine that is busy otherwise a test may have waited in vain.
    const again = await make(check, place);
    if (again.outcome !== 'passed') failures.set(describeCheck(check), again.detail);
  }
  showProgress('');
  return failures;
}

/**
 * @param {Tree} tree
 * @param {Mutant} mutant
 * @param {object} means
 * @param {ReadonlyMap<string, string>} means.failures
 * @param {Place} means.place
 * @returns {Promise<Pick<Result, 'outcome' | 'by' | 'detail'>>}
 */
async function tryMutant(tree, mutant, { failures, place }) {
  for (const check of mutant.killers) {
    const failure = failures.get(describeCheck(check));
    if (failure === undefined) continue;
    const detail = `${describeCheck(check)} fails on the whole tree: ${failure}`;
    return { outcome: 'invalid', by: null, detail };
  }
  if (!tree.break(mutant)) {
    const detail = `it no longer applies: what it replaces is not in ${mutant.file} exactly once`;
    return { outcome: 'invalid', by: null, detail };
  }
  try {
    const said = await tree.build({ bundled: mutant.killers.some(needsBundle) });
    if (said !== null) return { outcome: 'invalid', by: null, detail: `does not compile: ${said}` };
    for (const check of mutant.killers) {
      const { outcome, detail } = await make(check, place);
      if (outcome === 'failed') return { outcome: 'killed', by: detail, detail: '' };
      if (outcome === 'broken') {
        return { outcome: 'invalid', by: null, detail: `${describeCheck(check)}: ${detail}` };
      }
    }
    return { outcome: 'survived', by: null, detail: mutant.says };
  } finally {
    tree.mend(mutant);
  }
}

/** @param {Mutant} mutant @param {Result} result */
function showRow({ id, file, breaks }, { outcome, by, detail, seconds }) {
  const what = outcome === 'killed' ? (by ?? '') : `${outcome.toUpperCase()}: ${detail}`;
  const where = file.replace(/^src\//, '').padEnd(FILE_WIDTH);
  const time = `${seconds.toFixed(1)} s`.padStart(7);
  process.stdout.write(`${id.padEnd(ID_WIDTH)}  ${where}  ${breaks} ${time}  ${what}\n`);
}

/** @param {string} text Empty: nothing is under way. */
function showProgress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

/** @param {readonly Result[]} results @param {number} tookMs */
function report(results, tookMs) {
  /** @param {Result['outcome']} outcome */
  const count = (outcome) => results.filter((result) => result.outcome === outcome).length;
  const killed = count('killed');
  const survived = count('survived');
  const invalid = count('invalid');
  const seconds = tookMs / 1_000;
  if (options.json) {
    const all = { v: 1, killed, survived, invalid, seconds, results };
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  } else {
    const untried = invalid === 0 ? '' : `, ${String(invalid)} could not be tried`;
    process.stdout.write(`\n${seconds.toFixed(0)} s\n`);
    process.stdout.write(`${String(killed)} killed, ${String(survived)} survived${untried}\n`);
  }
  if (survived + invalid > 0) process.exitCode = 1;
}
