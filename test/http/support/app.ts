// A server without a socket, for the tests of its paths.
import { Access } from '../../../src/http/access.ts';
import { httpApp } from '../../../src/http/app.ts';
import type { AppParts } from '../../../src/http/app.ts';
import { EventClients } from '../../../src/http/event-clients.ts';
import type { NodeSight } from '../../../src/http/node-checks.ts';
import { fixedToken } from '../../../src/http/token.ts';
import { fakeGroups } from './groups.ts';

export const FOLLOWS: NodeSight = {
  ...{ id: 'a', role: 'secondary', phase: 'watching', epoch: 3, primary: 'b', health: null },
  ...{ unhealthyBecause: null, willing: true, unwillingBecause: null, reason: 'Follows b' },
};

export const TOKEN = 'correct-horse-battery-staple';

export interface App {
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
}

interface Given extends Partial<AppParts> {
  /** Null: there is none. */
  readonly token?: string | null;
  readonly onRefused?: () => void;
}

export function appWith(given: Given = {}): App {
  const {
    token = TOKEN,
    groups = fakeGroups(),
    onRefused = (): undefined => undefined,
    ...more
  } = given;
  const access = new Access({
    ...{ hint: 'Get one.', now: () => 0, onRefused },
    token: token === null ? null : fixedToken(token),
  });
  const events = new EventClients({ groups, onCount: () => undefined, onCutOff: () => undefined });
  const metrics = { type: 'text/x', text: () => Promise.resolve('counted 1\n') };
  const app = httpApp({
    ...{ groups, access, events, metrics, onAnswer: () => undefined, isLocal: () => true },
    ...{ look: () => FOLLOWS, ...more },
  });
  return { request: async (path, init) => app.request(path, init, {}) };
}
