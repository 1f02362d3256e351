// The status of a watcher as a few lines for people.
import { humanMs } from '../core/duration-text.ts';
import type { CoreReport } from '../core/report.ts';
import type { Takeover } from '../core/state.ts';

/** What is said of a node, one fact a line; the first line is the summary. */
export function statusText(group: string, report: CoreReport): string {
  const lines = [
    summary(group, report),
    `reason: ${report.reason}`,
    primaryLine(report),
    willingnessLine(report),
    report.succession.length > 0 ? `next in line: ${report.succession.join(', ')}` : null,
    report.lastTakeover === null ? null : `last takeover: ${takeoverText(report.lastTakeover)}`,
    report.warning === null ? null : `warning: ${report.warning}`,
  ];
  return lines.filter((line) => line !== null).join('\n');
}

function summary(group: string, { id, role, phase, epoch, roleForMs }: CoreReport): string {
  const since = `for ${humanMs(roleForMs)}`;
  const doing = phase === 'serving' || phase === 'stopped' ? '' : ` (${phase})`;
  return `${id} in group ${group}: ${role}${doing}, epoch ${String(epoch)}, ${since}`;
}

function primaryLine({ role, primary, lastHeartbeatMs }: CoreReport): string | null {
  if (role === 'primary') return null;
  if (primary === null) return 'primary: none';
  const heard = lastHeartbeatMs === null ? '' : `, heard ${humanMs(lastHeartbeatMs)} ago`;
  return `primary: ${primary}${heard}`;
}

function willingnessLine({ role, willing, unwillingBecause }: CoreReport): string | null {
  if (role !== 'secondary') return null;
  return willing ? 'would take over: yes' : `would take over: no, ${unwillingBecause ?? ''}`;
}

function takeoverText({ kind, from, to, epoch, gapMs, reason }: Takeover): string {
  const who = from === null ? to : `from ${from} to ${to}`;
  const gap = gapMs === null ? '' : `, gap ${humanMs(gapMs)}`;
  return `${kind} ${who}, epoch ${String(epoch)}${gap}: ${reason}`;
}
