// What several hosts share a lease by: each is one entry, which says how a host runs its server where there is one.
import { lackOfEtcd } from '../../contracts/support/etcd-server.ts';
import { lackOfPostgres } from '../../contracts/support/postgres-server.ts';
import { lackOfRedis } from '../../contracts/support/redis-server.ts';
import { ANOTHER_USER } from '../../support/another-user.ts';
import type { Case } from './case.ts';
import { CASES } from './cases.ts';
import type { Place } from './lan.ts';
import { PEER_CASES } from './peer-cases.ts';

/** A store whose server runs on a host of its own, or the agreement of the nodes. */
export interface SharedStore {
  readonly name: string;
  /** Why there is no server to test with; null: there is. */
  readonly lack: () => string | null;
  /** What `--lease` of the nodes is. */
  readonly url: (place: Place) => string;
  /**
   * A script for `sh` that becomes the server; `$1` is a directory of its own, which outlives it. Null: the nodes agree
   * among themselves, and hear each other by nothing but that.
   */
  readonly server: ((place: Place) => string) | null;
  readonly cases: readonly Case[];
}

export const SHARED_STORES: readonly SharedStore[] = [
  {
    name: 'redis',
    lack: lackOfRedis,
    cases: CASES,
    url: ({ address }) => `redis://${address}:6379`,
    // It writes nothing: with its host all that it knew is lost.
    server: ({ address }) =>
      `exec redis-server --bind ${address} --port 6379 --protected-mode no --dir "$1" ` +
      "--save '' --appendonly no --loglevel warning",
  },
  {
    name: 'etcd',
    lack: lackOfEtcd,
    cases: CASES,
    url: ({ address }) => `etcd://${address}:2379`,
    // Elections of a tenth of a second allow short leases; it keeps what it knew when its host is lost.
    server: ({ address }) =>
      'exec etcd --name one --data-dir "$1/data" --heartbeat-interval 10 --election-timeout 100 ' +
      `--listen-client-urls http://${address}:2379 --advertise-client-urls http://${address}:2379 ` +
      '--listen-peer-urls http://127.0.0.1:2380 --initial-cluster one=http://127.0.0.1:2380 ' +
      '--initial-advertise-peer-urls http://127.0.0.1:2380 --log-outputs /dev/null --logger zap',
  },
  {
    name: 'postgres',
    lack: lackOfPostgres,
    cases: CASES,
    url: ({ address }) => `postgres://tester@${address}/postgres`,
    // It refuses to run as root, and keeps what it knew when its host is lost.
    server: ({ address }) => `
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' :)
as='setpriv --reuid ${String(ANOTHER_USER)} --regid ${String(ANOTHER_USER)} --clear-groups'
chown ${String(ANOTHER_USER)} "$1"
cd "$1"
if [ ! -e data ]; then
  $as initdb -D new -U tester -A trust --locale=C --no-sync --wal-segsize=1
  echo 'host all tester 10.0.0.0/24 trust' >> new/pg_hba.conf
  mv new data
fi
exec $as postgres -D data -h ${address} -k "$1" -c shared_buffers=16MB`,
  },
  {
    name: 'peers',
    lack: () => null,
    cases: PEER_CASES,
    url: () => 'peers',
    server: null,
  },
];
