// Nodes whose lease is in PostgreSQL.
import { describe, it } from 'vitest';
import { parseDuration } from '../../src/config/duration.ts';
import { lackOfPgbouncer, Pgbouncer } from '../contracts/support/pgbouncer.ts';
import { lackOfPostgres, PostgresServer } from '../contracts/support/postgres-server.ts';
import { inGroup } from '../support/process-group.ts';
import { STEADY } from '../support/process-steps.ts';
import { nodesWithLease, takeOver } from './store-nodes.ts';

const lack = lackOfPostgres();
const lackOfPooler = lack ?? lackOfPgbouncer();
if (lack !== null)
  process.stderr.write(`The tests of nodes with a lease in PostgreSQL are ${lack}.\n`);

/** Long enough for a busy machine, on which a statement waits for two processes in turn. */
const TTL_MS = 5_000;
const TIMES = { 'lease-ttl': `${String(TTL_MS)}ms`, 'lease-request-timeout': '1500ms' };

describe.runIf(lack === null)('nodes with a lease in PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  let databases = 0;

  const freshPlace = async (): Promise<string> => {
    databases += 1;
    url = await server.database(`d${String(databases)}`);
    return url;
  };

  const noted = (): Promise<readonly string[]> =>
    server.query(`SELECT node || ' ' || action FROM failover.events ORDER BY number`, url);

  // Before the others, which leave a server behind that is too young to give a lease at once.
  it.runIf(lackOfPooler === null)(
    'take over at once through a pooler in transaction mode',
    async () => {
      const pooler = await Pgbouncer.before(server);
      try {
        const place = await freshPlace();
        const lease = place.replace(String(server.port), String(pooler.port));
        await inGroup((group) => takeOver(group, noted), { options: { lease, ...TIMES } });
      } finally {
        await pooler.stop();
      }
    },
  );

  nodesWithLease(async () => {
    server = await PostgresServer.start();
    await server.grownOld(parseDuration(STEADY.options['lease-ttl']));
    return {
      ...{ freshPlace, noted },
      freeze: () => {
        server.freeze();
      },
      thaw: () => {
        server.thaw();
      },
      end: () => server.end(),
      begin: () => server.begin(),
      stop: () => server.stop(),
    };
  }, TIMES);
});
