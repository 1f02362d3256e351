// `failover doctor` for people: a line for each check, what to do below it, and how many there are of each.
import type { Examination } from '../commands/doctor.ts';
import type { Health } from '../doctor/check.ts';
import { humanMs } from '../../core/duration-text.ts';
import type { Paint } from './paint.ts';
import { printable } from './plain.ts';

export function doctorLines(examination: Examination, paint: Paint): string[] {
  const { group, stateDir, lease, version, checks } = examination;
  const idWidth = Math.max(...checks.map(({ id }) => id.length));
  const where = `group ${paint.strong(group)}, ${printable(stateDir)}, lease ${lease}`;
  const lines = checks.flatMap(({ id, status, fact, advice, tookMs }) => {
    const word = PAINTED[status](status.padEnd(STATUS_WIDTH), paint);
    const slow = tookMs >= SLOW_MS ? paint.faint(` (${humanMs(tookMs)})`) : '';
    const line = `${word}  ${id.padEnd(idWidth)}  ${printable(fact)}${slow}`;
    if (advice === null) return [line];
    return [line, `${' '.repeat(STATUS_WIDTH + idWidth + 4)}${paint.strong(printable(advice))}`];
  });
  return [`failover ${version}, ${where}`, '', ...lines, '', summary(examination, paint)];
}

const STATUS_WIDTH = 'warning'.length;

/** What takes longer is worth knowing. */
const SLOW_MS = 500;

function summary({ checks, status }: Examination, paint: Paint): string {
  const count = (wanted: Health): number =>
    checks.filter((check) => check.status === wanted).length;
  const parts = (['ok', 'warning', 'failure'] as const).map((wanted) => {
    const many = count(wanted) === 1 || wanted === 'ok' ? wanted : `${wanted}s`;
    return `${String(count(wanted))} ${many}`;
  });
  return PAINTED[status](parts.join(', '), paint);
}

const PAINTED: Readonly<Record<Health, (text: string, paint: Paint) => string>> = {
  ok: (text, paint) => paint.good(text),
  warning: (text, paint) => paint.warn(text),
  failure: (text, paint) => paint.bad(text),
};
