// All groups in one list, where there are several: a line each, of which one is shown in full.
import { element, setAll, setText } from './dom.ts';
import { headlineOf } from './group-section.ts';
import type { GroupModel } from './model.ts';

/** From so many groups on they can be searched. */
const FILTER_FROM = 12;

interface Line {
  readonly item: HTMLElement;
  readonly button: HTMLButtonElement;
  readonly state: HTMLElement;
}

export class Overview {
  readonly root: HTMLElement;
  readonly #list = element('ul', { class: 'overview-list', role: 'list' });
  readonly #filter = element('input', {
    ...{ type: 'search', placeholder: 'Find a group', 'aria-label': 'Find a group' },
  });
  readonly #lines = new Map<string, Line>();
  readonly #onChoose: (group: string) => void;

  constructor(onChoose: (group: string) => void) {
    this.#onChoose = onChoose;
    this.#filter.addEventListener('input', () => {
      this.#applyFilter();
    });
    this.root = element(
      'nav',
      { class: 'overview', 'aria-label': 'Groups' },
      this.#filter,
      this.#list,
    );
  }

  show(groups: readonly GroupModel[], chosen: string | null): void {
    this.root.hidden = groups.length < 2;
    this.#filter.hidden = groups.length < FILTER_FROM;
    for (const [name, { item }] of this.#lines) {
      if (groups.some((group) => group.name === name)) continue;
      item.remove();
      this.#lines.delete(name);
    }
    groups.forEach((group, index) => {
      const line = this.#lines.get(group.name) ?? this.#make(group.name);
      if (this.#list.children[index] !== line.item) {
        this.#list.insertBefore(line.item, this.#list.children[index] ?? null);
      }
      setAll(line.button, { 'aria-current': group.name === chosen ? 'true' : null });
      const { text, state } = group.status === null ? UNKNOWN : headlineOf(group.status);
      setText(line.state, text);
      setAll(line.state, { 'data-state': group.problem === null ? state : 'bad' });
    });
    this.#applyFilter();
  }

  #make(name: string): Line {
    const state = element('span', { class: 'overview-state' });
    const button = element(
      'button',
      { type: 'button' },
      element('span', { class: 'overview-name' }, name),
      state,
    );
    button.addEventListener('click', () => {
      this.#onChoose(name);
    });
    const line = { item: element('li', {}, button), button, state };
    this.#lines.set(name, line);
    return line;
  }

  #applyFilter(): void {
    const wanted = this.#filter.hidden ? '' : this.#filter.value.toLowerCase();
    for (const [name, { item }] of this.#lines) item.hidden = !name.toLowerCase().includes(wanted);
  }
}

const UNKNOWN = { text: 'not known', state: 'changing' } as const;
