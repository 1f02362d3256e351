// The one dialog of the page: it says what would happen, asks for the token if there is none, and shows what came of it.
import { askFor, keepToken, knownToken } from './changes.ts';
import type { ChangeRequest } from './changes.ts';
import { byId, sentence, setText } from './dom.ts';

export interface Question {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly canForce: boolean;
  /** Null: only the token is asked for. */
  readonly request: ChangeRequest | null;
}

export class ChangeDialog {
  readonly #dialog = byId('dialog', HTMLDialogElement);
  readonly #form = byId('dialog-form', HTMLFormElement);
  readonly #force = byId('dialog-force', HTMLElement);
  readonly #token = byId('dialog-token', HTMLElement);
  readonly #fault = byId('dialog-fault', HTMLElement);
  readonly #confirm = byId('dialog-confirm', HTMLButtonElement);
  readonly #onDone: (text: string) => void;
  #question: Question | null = null;
  #isBusy = false;

  constructor(onDone: (text: string) => void) {
    this.#onDone = onDone;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#go();
    });
    byId('dialog-cancel', HTMLElement).addEventListener('click', () => {
      this.#dialog.close();
    });
    this.#dialog.addEventListener('close', () => {
      this.#question = null;
      this.#form.reset();
    });
  }

  open(question: Question): void {
    this.#question = question;
    setText(byId('dialog-title', HTMLElement), question.title);
    setText(byId('dialog-text', HTMLElement), question.text);
    setText(this.#confirm, question.confirm);
    this.#force.hidden = !question.canForce;
    this.#token.hidden = question.request !== null && knownToken() !== null;
    this.#showFault('');
    this.#busy(false);
    this.#dialog.showModal();
    if (!this.#token.hidden) this.#tokenInput.focus();
  }

  get #tokenInput(): HTMLInputElement {
    return inputIn(this.#token);
  }

  async #go(): Promise<void> {
    const question = this.#question;
    if (question === null || this.#isBusy) return;
    if (!this.#token.hidden) {
      const given = this.#tokenInput.value.trim();
      if (given === '') {
        this.#showFault('A token is required.');
        return;
      }
      keepToken(given);
    }
    const { request } = question;
    if (request === null) {
      this.#close('Changes are unlocked in this tab.');
      return;
    }
    this.#busy(true);
    const isForced = question.canForce && inputIn(this.#force).checked;
    const body = isForced ? { ...request.body, force: true } : request.body;
    const answer = await askFor({ ...request, body });
    // Somebody has closed it, and maybe opened it for something else.
    if (this.#question !== question) {
      this.#onDone(answer.text);
      return;
    }
    this.#busy(false);
    if (answer.isDone) {
      this.#close(answer.text);
      return;
    }
    if (answer.needsToken) {
      keepToken(null);
      this.#token.hidden = false;
      this.#tokenInput.focus();
    }
    this.#showFault(answer.text);
  }

  #close(text: string): void {
    this.#dialog.close();
    this.#onDone(text);
  }

  #busy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    // It stays where the keyboard is: a disabled one would lose it.
    this.#confirm.setAttribute('aria-disabled', String(isBusy));
    this.#form.setAttribute('aria-busy', String(isBusy));
    setText(this.#confirm, isBusy ? 'Working…' : (this.#question?.confirm ?? ''));
  }

  #showFault(text: string): void {
    this.#fault.replaceChildren(...sentence(text));
    this.#fault.hidden = text === '';
  }
}

function inputIn(label: HTMLElement): HTMLInputElement {
  const input = label.querySelector('input');
  if (input === null) throw new Error('the page has no input there');
  return input;
}
