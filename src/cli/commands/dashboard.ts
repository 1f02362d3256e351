// `failover dashboard`: the page on the groups of this machine, served until it is told to end.
import { randomBytes } from 'node:crypto';
import type { ClientOptions, GroupSearch } from '../../config/load.ts';
import { parseHttpAddress } from '../../config/proxy-address.ts';
import { Page } from '../../http/page.ts';
import { openHttpServer } from '../../http/server.ts';
import { fixedToken } from '../../http/token.ts';
import { groupNames } from '../group-names.ts';
import { GroupWatch } from '../group-watch.ts';
import { optionsFor } from '../groups.ts';
import { openBrowser } from '../open-browser.ts';
import { note, say } from '../say.ts';

export interface DashboardOptions extends Omit<ClientOptions, 'group'> {
  /** Null: all groups of the state directory. */
  readonly group: string | null;
  /** Where they are; null: where this one is, or on the server that was named. */
  readonly search: GroupSearch | null;
  readonly listen: string;
  readonly open: boolean;
}

/** As hard to guess as a key, and for this process alone. */
const TOKEN_BYTES = 24;

/**
 * Resolves when it has ended, by a signal.
 *
 * @throws FAILOVER_BAD_OPTION, FAILOVER_ADDRESS_IN_USE or FAILOVER_NOT_PERMITTED where it can't listen
 */
export async function dashboard({
  group,
  search,
  listen,
  open,
  ...client
}: DashboardOptions): Promise<void> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const groups = new GroupWatch({
    client: (name) => (search === null ? client : optionsFor(name, search)),
    only: group,
    list: () => (group === null ? groupNames((search ?? client).stateDir) : [group]),
  });
  const server = await openHttpServer(parseHttpAddress(listen, '--listen'), {
    ...{ groups, page: new Page(), token: fixedToken(token), option: '--listen' },
    tokenHint: 'Open the address printed by `failover dashboard`; it contains the token.',
  });
  const address = `${server.url.replace('//*:', '//127.0.0.1:')}/#token=${token}`;
  say(address);
  if (!server.isLocal) {
    note(
      'this address is reachable by others: they can see all groups, and anyone with the token can change them.',
    );
  }
  // The address is printed in any case.
  const forget = open ? openBrowser(address) : null;
  await untilSignal();
  forget?.();
  groups.close();
  await server.close();
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
}
