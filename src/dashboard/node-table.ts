// The nodes of a group as a table; on a narrow screen each of them is a card.
import { element, setAll, setText } from './dom.ts';
import { kindOf, shownAge, shownMs } from './words.ts';
import type { GroupView, NodeView } from './wire.ts';

const COLUMNS = [
  ...['Node', 'State', 'Health', 'Epoch', 'Heartbeat', 'Lag', 'Workload', 'Up'],
  'Action',
] as const;

interface Row {
  readonly row: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
  readonly reason: HTMLElement;
  readonly button: HTMLButtonElement;
}

export class NodeTable {
  readonly root: HTMLElement;
  readonly #body: HTMLElement;
  readonly #rows = new Map<string, Row>();
  readonly #onPromote: (node: string) => void;

  constructor(group: string, onPromote: (node: string) => void) {
    this.#onPromote = onPromote;
    this.#body = element('tbody', { role: 'rowgroup' });
    const heads = COLUMNS.map((name) =>
      element(
        'th',
        { scope: 'col', role: 'columnheader', class: `of-${name.toLowerCase()}` },
        name,
      ),
    );
    const head = element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads));
    const caption = element('caption', { class: 'hidden' }, `Nodes of ${group}`);
    // With the roles said, as a table that is shown as cards is none to some browsers.
    this.root = element('table', { class: 'nodes', role: 'table' }, caption, head, this.#body);
  }

  show({ nodes, primary, lease }: GroupView): void {
    for (const [id, { row }] of this.#rows) {
      if (nodes.some((node) => node.id === id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    nodes.forEach((node, index) => {
      const known = this.#rows.get(node.id) ?? this.#make(node.id);
      if (this.#body.children[index] !== known.row) {
        this.#body.insertBefore(known.row, this.#body.children[index] ?? null);
      }
      this.#fill(known, node, node.id === primary && lease.held);
    });
  }

  #make(id: string): Row {
    const cells = COLUMNS.map((name, index) => {
      const about = { class: `of-${name.toLowerCase()}`, 'data-name': name };
      return index === 0
        ? element('th', { ...about, scope: 'row', role: 'rowheader' })
        : element('td', { ...about, role: 'cell' });
    });
    const button = element('button', { type: 'button', class: 'small' }, 'Promote');
    setAll(button, { 'aria-label': `Promote ${id}` });
    button.addEventListener('click', () => {
      this.#onPromote(id);
    });
    cells.at(-1)?.append(button);
    const reason = element('span', { class: 'reason' });
    cells[0]?.append(element('span', { class: 'node-name' }, id), reason);
    const row = element('tr', { role: 'row' }, ...cells);
    this.#rows.set(id, { row, cells, reason, button });
    return { row, cells, reason, button };
  }

  #fill({ row, cells, reason, button }: Row, node: NodeView, leads: boolean): void {
    const kind = kindOf(node.state === 'elsewhere' ? node.role : node.state);
    setAll(row, { class: `is-${kind}` });
    setText(reason, reasonOf(node));
    const texts = [
      node.state,
      node.workload.health ?? '–',
      node.epoch === null ? '–' : String(node.epoch),
      leads && node.lastHeartbeatMs === null ? '–' : ageOf(node.lastHeartbeatMs),
      ageOf(node.latenessMs ?? null),
      workloadOf(node),
      shownAge(node.uptimeMs),
    ];
    for (const [index, text] of texts.entries()) {
      const cell = cells[index + 1];
      if (cell !== undefined) setText(cell, text);
    }
    setAll(cells[2] ?? row, { 'data-health': node.workload.health });
    button.hidden = leads || NOT_HERE.has(node.state);
  }
}

/** Nobody who could be asked from here. */
const NOT_HERE: ReadonlySet<string> = new Set([
  ...['elsewhere', 'unresponsive', 'stopping', 'stopped'],
]);

/** What a person has to know first. */
function reasonOf({ reason, unhealthyBecause, unwillingBecause }: NodeView): string {
  return unhealthyBecause ?? unwillingBecause ?? reason;
}

function ageOf(ms: number | null): string {
  return ms === null ? '–' : shownMs(ms);
}

function workloadOf({ workload: { pid, state, restarts } }: NodeView): string {
  const process = pid === null ? '' : ` (pid ${String(pid)})`;
  return `${state}${process}${restarts > 0 ? `, ${String(restarts)} restarts` : ''}`;
}
