// What a server of PostgreSQL tells of itself.
import type { PostgresAddress } from '../../../config/lease-url.ts';
import { connectionsTo } from '../../../lease/postgres/postgres-client.ts';
import type { Row } from '../../../lease/postgres/postgres-client.ts';
import { refusalOf, wordsFor } from '../../../lease/postgres/postgres-errors.ts';
import { StoreLink } from '../../../lease/store-link.ts';
import { failure, ok, warning } from '../check.ts';
import type { Finding } from '../check.ts';
import { aheadOf, roundTripOf } from './store-facts.ts';
import type { StoreFacts } from './store-facts.ts';

/** @throws FAILOVER_CLIENT_MISSING, FAILOVER_STORE_UNREACHABLE, FAILOVER_STORE_REFUSED */
export async function postgresFacts(
  address: PostgresAddress,
  limitMs: number,
): Promise<StoreFacts> {
  const { shown } = address;
  const open = await connectionsTo(address);
  const link = new StoreLink({
    open: () => open(null),
    shown,
    connectTimeoutMs: limitMs,
    onChange: () => undefined,
    refusalOf: (error) => refusalOf(shown, error),
    wordsFor,
  });
  const ask = async (text: string): Promise<Row> => {
    const [row = []] = await link.within(limitMs, (connection) => connection.query(text, []));
    return row;
  };
  try {
    const [version = '', commit, fsync, isReplica, standbys] = await ask(SETTINGS);
    const isPooled = await link.within(limitMs, (connection) => connection.isPooled());
    const roundTripMs = await roundTripOf(() => ask('SELECT 1'));
    const aheadMs = await aheadOf(async () => Number((await ask(TIME))[0]));
    const settings = judgePostgres({
      ...{ version: version ?? '', synchronousCommit: commit ?? '', fsync: fsync ?? '' },
      ...{ isReplica: isReplica === 'true', isPooled, standbys: standbys ?? '' },
    });
    return { version: `PostgreSQL ${String(version)}`, roundTripMs, aheadMs, settings };
  } finally {
    link.close();
  }
}

const SETTINGS = `SELECT current_setting('server_version'), current_setting('synchronous_commit'),
  current_setting('fsync'), pg_is_in_recovery()::text, current_setting('synchronous_standby_names')`;

const TIME = 'SELECT extract(epoch FROM clock_timestamp()) * 1000';

interface PostgresSettings {
  readonly version: string;
  readonly synchronousCommit: string;
  readonly fsync: string;
  readonly standbys: string;
  readonly isReplica: boolean;
  readonly isPooled: boolean;
}

/** The gravest first: one thing at a time is mended. Exported for its tests. */
export function judgePostgres(of: PostgresSettings): Finding {
  if (of.isReplica) {
    return failure(
      'It is a replica, which cannot keep a lease',
      'Use the address of the primary server.',
    );
  }
  if (of.fsync === 'off') {
    return warning(
      'fsync is off: after a crash of its machine the server may have forgotten the primary',
      'Set `fsync = on`.',
    );
  }
  if (of.isPooled) {
    return warning(
      'A connection pooler answers: nodes are not notified of a free lease and find it at their next check',
      'Use the address of the server itself.',
    );
  }
  const standbys = of.standbys === '' ? 'no standby is waited for' : `it waits for ${of.standbys}`;
  // A claim waits for the disk whatever this says.
  return ok(`synchronous_commit is ${of.synchronousCommit}, ${standbys}`);
}
