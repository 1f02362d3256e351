// `failover dashboard`: the page on the groups of this machine, served until it is told to end.
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { ClientOptions } from '../../config/load.ts';
import { validateGroup } from '../../config/names.ts';
import { parseHttpAddress } from '../../config/proxy-address.ts';
import { defaultStateDir } from '../../config/state-dir.ts';
import { Page } from '../../http/page.ts';
import { openHttpServer } from '../../http/server.ts';
import { fixedToken } from '../../http/token.ts';
import { GroupWatch } from '../group-watch.ts';
import { openBrowser } from '../open-browser.ts';
import { note, say } from '../say.ts';

export interface DashboardOptions extends Omit<ClientOptions, 'group'> {
  /** Null: all groups of the state directory. */
  readonly group: string | null;
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
  listen,
  open,
  ...client
}: DashboardOptions): Promise<void> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const directory = client.stateDir ?? defaultStateDir();
  const groups = new GroupWatch({
    ...{ client: () => client, only: group },
    list: () => (group === null ? groupsIn(directory) : [group]),
  });
  const server = await openHttpServer(parseHttpAddress(listen, '--listen'), {
    ...{ groups, page: new Page(), token: fixedToken(token), option: '--listen' },
    tokenHint: 'Open the address that `failover dashboard` has printed: its token is in it.',
  });
  const address = `${server.url.replace('//*:', '//127.0.0.1:')}/#token=${token}`;
  say(address);
  if (!server.isLocal) {
    note(
      'others can reach this address: they see all groups, and whoever has the token changes them.',
    );
  }
  // The address is printed in any case.
  const forget = open ? openBrowser(address) : null;
  await untilSignal();
  forget?.();
  groups.close();
  await server.close();
}

/** Those whose names are none are no groups. */
function groupsIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isGroup(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch {
    // It is not there yet, or not for us to read: then there is nothing to show.
    return [];
  }
}

function isGroup(name: string): boolean {
  try {
    return validateGroup(name) === name;
  } catch {
    return false;
  }
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
