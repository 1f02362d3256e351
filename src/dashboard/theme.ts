// Light or dark: as the system has it, or as somebody chose here.
import { byId, setText } from './dom.ts';

const KEY = 'failover-theme';

const CHOICES = ['auto', 'light', 'dark'] as const;

type Choice = (typeof CHOICES)[number];

export function offerThemes(): void {
  const button = byId('theme-button', HTMLButtonElement);
  let chosen = CHOICES.find((choice) => choice === localStorage.getItem(KEY)) ?? 'auto';
  show(button, chosen);
  button.addEventListener('click', () => {
    chosen = CHOICES[(CHOICES.indexOf(chosen) + 1) % CHOICES.length] ?? 'auto';
    localStorage.setItem(KEY, chosen);
    show(button, chosen);
  });
}

function show(button: HTMLButtonElement, choice: Choice): void {
  if (choice === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = choice;
  setText(button, `Theme: ${choice}`);
}
