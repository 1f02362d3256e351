// Fails a group over again and again behind a proxy, under load, and prints what became of the requests.
import { flag, number, oneOf, optionsOrEnd } from '../support/tool-options.ts';
import { KINDS, runTrials } from './support/trials.ts';
import type { Kind, Round } from './support/trials.ts';

const values = optionsOrEnd({
  name: 'proxy-trials',
  about:
    'Fails a group over again and again behind a proxy, and prints what became of the requests.',
  flags: {
    rounds: number({ placeholder: 'N', says: 'failovers', fallback: 20, least: 1 }),
    rate: number({ placeholder: 'N', says: 'requests each second', fallback: 500, least: 1 }),
    kind: oneOf(KINDS, { placeholder: 'NAME', says: `only ${KINDS.join(', ')}` }),
    json: flag('prints the rounds as JSON in place of the table'),
  },
  example: '--rounds 100 --rate 500',
});

/** Half of them crash, or hang; the others are planned. */
const ORDER: readonly Kind[] = ['crash', 'switchover', 'hang', 'demote', 'crash', 'stop'];

const kinds = Array.from({ length: values.rounds }, (_, index) => {
  const asked = KINDS.find((kind) => kind === values.kind);
  return asked ?? ORDER[index % ORDER.length] ?? 'crash';
});

if (!values.json) {
  process.stdout.write(`${String(values.rate)} requests/s, half of them POSTs; times in ms

| round | kind | requests | repeated | held, longest | took, longest | unsafe lost | broken promises |
| --- | --- | --- | --- | --- | --- | --- | --- |
`);
}
const { rounds, twice, summary } = await runTrials({
  ...{ kinds, rate: values.rate },
  onRound: (round, index) => {
    if (!values.json) process.stdout.write(rowOf(round, index));
  },
  ...(process.env['TRIALS_LOG'] === undefined ? {} : { log: process.env['TRIALS_LOG'] }),
});
const broken = rounds.flatMap((round) => round.broken);
if (values.json) {
  process.stdout.write(`${JSON.stringify({ rounds, twice, summary }, null, 2)}\n`);
} else {
  const total = rounds.reduce((count, { safe, unsafe }) => count + safe + unsafe, 0);
  const inFlight = rounds.reduce((count, { lost }) => count + lost.length, 0) - broken.length;
  const held = Math.max(...rounds.map(({ heldMs }) => heldMs));
  process.stdout.write(`
${String(total)} requests; lost: ${String(inFlight)} POSTs that were under way, each told so; \
promises broken: ${String(broken.length)}; POSTs carried out twice: ${String(twice.length)}; \
held longest: ${String(Math.round(held))} ms
The proxy: ${summary}
`);
  for (const line of broken.slice(0, 20)) process.stdout.write(`  ${line}\n`);
}
if (broken.length > 0 || twice.length > 0) process.exitCode = 1;

function rowOf(round: Round, index: number): string {
  const { kind, safe, unsafe, repeated, heldMs, longestMs, lost, broken: wrong } = round;
  const cells = [index, kind, safe + unsafe, repeated, Math.round(heldMs), Math.round(longestMs)];
  const shown = [...cells, lost.length - wrong.length, wrong.length];
  return `| ${shown.map(String).join(' | ')} |\n`;
}
