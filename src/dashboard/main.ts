// The dashboard: what the server tells, shown as it comes, with the changes that somebody may ask for.
import { keepToken, knownToken, takeTokenFromAddress } from './changes.ts';
import { ChangeDialog } from './dialog.ts';
import { byId, element, sentence, setAll, setText } from './dom.ts';
import { GroupSection } from './group-section.ts';
import { Model } from './model.ts';
import { Overview } from './overview.ts';
import { Stream } from './stream.ts';
import type { Connection } from './stream.ts';
import { offerThemes } from './theme.ts';
import { shownMs } from './words.ts';
import type { TransitionView } from './wire.ts';

/** So that time goes on in the drawings, ms. */
const TICK_MS = 1_000;

/** For so long a sentence of what was done is shown, ms. */
const SAID_MS = 10_000;

/** What happened longer ago was no news when this page was opened, ms. */
const NEWS_MS = 10_000;

const CONNECTIONS: Readonly<Record<Connection['is'], string>> = {
  ...{ open: 'Live', connecting: 'Connecting…', lost: 'Connection lost' },
};

const model = new Model();
const main = byId('groups', HTMLElement);
const empty = byId('empty', HTMLElement);
let section: GroupSection | null = null;
/** Null: none by a person, and the first is shown. */
let chosen: string | null = new URLSearchParams(location.hash.slice(1)).get('group');
let connection: Connection = { is: 'connecting' };
let isRendering = false;
let saidTimer: ReturnType<typeof setTimeout> | undefined;

takeTokenFromAddress();
offerThemes();

const dialog = new ChangeDialog((text) => {
  say(text);
  showToken();
});

const overview = new Overview((group) => {
  chosen = group;
  history.replaceState(null, '', `#group=${encodeURIComponent(group)}`);
  render();
});
overview.root.hidden = true;
main.prepend(overview.root);

new Stream({
  onGroups: (names) => {
    model.setNames(names);
    later();
  },
  onStatus: (status) => {
    const before = model.group(status.group)?.status;
    model.setStatus(status);
    if (before?.primary && status.primary === null) announce(`${status.group}: nobody leads.`);
    later();
  },
  onTransition: (transition) => {
    if (model.addTransition(transition)) announceTakeover(transition);
    later();
  },
  onPulse: (pulse) => {
    model.addPulse(pulse);
    later();
  },
  onProblem: (problem) => {
    model.setProblem(problem);
    later();
  },
  onConnection: (now) => {
    connection = now;
    showConnection();
  },
}).connect();

byId('token-button', HTMLElement).addEventListener('click', () => {
  if (knownToken() === null) {
    dialog.open({
      title: 'Unlock changes',
      text: "With this server's token you can promote and demote nodes and pause groups here.",
      ...{ confirm: 'Unlock', canForce: false, request: null },
    });
    return;
  }
  keepToken(null);
  showToken();
  say('Changes are locked; the token was discarded.');
});
showToken();

setInterval(() => {
  if (connection.is === 'lost') showConnection();
  // What is not seen any more is not drawn on: the past of a lost connection stays as it was.
  else if (!document.hidden) section?.draw(Date.now());
}, TICK_MS);

window.addEventListener('resize', later);

/** However much is told at a time it is shown once. */
function later(): void {
  if (isRendering) return;
  isRendering = true;
  requestAnimationFrame(() => {
    isRendering = false;
    render();
  });
}

function render(): void {
  const { groups } = model;
  const group = model.group(chosen ?? '') ?? groups[0];
  overview.show(groups, group?.name ?? null);
  empty.hidden = groups.length > 0;
  if (groups.length === 0 && connection.is === 'open')
    setText(empty, 'There are no groups here yet.');
  if (section !== null && section.name !== group?.name) {
    section.root.remove();
    section = null;
  }
  if (group === undefined) return;
  if (section === null) {
    section = new GroupSection(group.name, (question) => {
      dialog.open(question);
    });
    main.append(section.root);
  }
  section.show(group, Date.now());
  const { primary } = group.status ?? {};
  document.title = `${group.name}: ${primary ?? 'no primary'} – failover`;
}

function showConnection(): void {
  setAll(byId('connection-line', HTMLElement), { 'data-state': connection.is });
  setAll(document.documentElement, { 'data-connection': connection.is });
  setText(byId('connection', HTMLElement), CONNECTIONS[connection.is]);
  // What counts on every second is not read out every second.
  setText(byId('connection-detail', HTMLElement), detailOf(connection));
}

function detailOf(now: Connection): string {
  if (now.is !== 'lost') return '';
  const seconds = Math.round((Date.now() - now.since) / 1000);
  const again = Math.max(0, Math.round((now.nextAt - Date.now()) / 1000));
  return `${String(seconds)} s ago; retrying ${again === 0 ? 'now' : `in ${String(again)} s`}`;
}

function showToken(): void {
  setText(
    byId('token-button', HTMLElement),
    knownToken() === null ? 'Unlock changes' : 'Lock changes',
  );
}

function say(text: string): void {
  const place = byId('said', HTMLElement);
  place.replaceChildren(...sentence(text));
  place.hidden = false;
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => {
    place.hidden = true;
  }, SAID_MS);
}

function announceTakeover({ group, time, takeover }: TransitionView): void {
  if (takeover === null || Date.now() - Date.parse(time) > NEWS_MS) return;
  const { kind, to, epoch, gapMs } = takeover;
  const gap = gapMs === null ? '' : `, ${shownMs(gapMs)} without a workload`;
  announce(`${group}: ${kind}. ${to} is primary at epoch ${String(epoch)}${gap}.`);
}

/** For readers of the screen; bounded. */
function announce(text: string): void {
  const place = byId('news', HTMLElement);
  place.append(element('span', {}, `${text} `));
  while (place.children.length > 5) place.firstElementChild?.remove();
}
