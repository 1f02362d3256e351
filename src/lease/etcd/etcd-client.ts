// Loads the client of etcd, which is installed beside failover only where it is used, and opens connections.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { PassThrough } from 'node:stream';
import { connect } from 'node:tls';
import type * as etcd from 'etcd3';
import { FailoverError } from '../../errors.ts';
import type { EtcdAddress } from '../../config/lease-url.ts';
import { loadClient } from '../client-package.ts';
import type { ClientPackage } from '../client-package.ts';
import { EtcdConnection } from './etcd-connection.ts';
import type { Watching } from './etcd-connection.ts';

/** What is used of the package. */
type EtcdModule = Pick<typeof etcd, 'Etcd3'>;

/** The next connection: to one member of the cluster after the other. */
export type OpenConnection = (watching: Watching) => EtcdConnection;

/**
 * How to open connections to a cluster; nothing is opened yet.
 *
 * @throws FAILOVER_CLIENT_MISSING; FAILOVER_BAD_OPTION for a file that can't be read
 */
export async function connectionsTo(
  address: EtcdAddress,
  importClient: () => Promise<EtcdModule> = () => import('etcd3'),
): Promise<OpenConnection> {
  const { Etcd3 } = await loadClient(PACKAGE, importClient);
  const { endpoints, tls, user } = address;
  const credentials = tls === null ? {} : credentialsOf(tls);
  if (tls !== null && endpoints.some(({ host }) => isIP(host) !== 0)) allowAddressAsName();
  // Not all nodes ask the same member.
  let count = Math.floor(Math.random() * endpoints.length);
  return (watching) => {
    count += 1;
    const { host, port } = endpoints[count % endpoints.length] ?? LOCAL;
    const name = host.includes(':') ? `[${host}]` : host;
    const client = new Etcd3({
      hosts: `${tls === null ? 'http' : 'https'}://${name}:${String(port)}`,
      ...credentials,
      faultHandling: { host: () => ONCE, global: ONCE },
      grpcOptions: { ...GRPC_OPTIONS, 'grpc.primary_user_agent': `failover/${String(count)}` },
    });
    return new EtcdConnection(client, user, watching);
  };
}

const PACKAGE: ClientPackage = { store: 'etcd', name: 'etcd3', major: 1 };

/** The default for a list of addresses, which is never empty. */
const LOCAL = { host: '127.0.0.1', port: 2379 };

/** Where it goes is what the address says. That the name of a client differs keeps each from sharing another's socket. */
const GRPC_OPTIONS = {
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
};

type Policy = ReturnType<NonNullable<NonNullable<etcd.IOptions['faultHandling']>['host']>>;

/** Nothing is repeated, and no member is avoided: that is decided where the time is known. */
const ONCE = {
  execute: (act: (context: { signal: AbortSignal }) => unknown) =>
    Promise.resolve().then(() => act({ signal: NEVER.signal })),
} as unknown as Policy; // of a policy nothing else is called

const NEVER = new AbortController();

/**
 * The client names a server to TLS by its address where that is all there is. Node warns of that, once in a process:
 * it would be in every log, and nobody who reads it could do anything. The certificate is verified all the same.
 */
function allowAddressAsName(): void {
  const { noDeprecation = false } = process;
  process.noDeprecation = true;
  try {
    connect({ servername: LOCAL.host, socket: new PassThrough() })
      .on('error', () => undefined)
      .destroy();
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

function credentialsOf({
  ca,
  own,
}: NonNullable<EtcdAddress['tls']>): Pick<etcd.IOptions, 'credentials'> {
  if (ca === null && own === null) return {};
  const ours = own === null ? {} : { privateKey: read(own.key), certChain: read(own.cert) };
  // Without it, what the system trusts; the declaration does not know that.
  const root: unknown = ca === null ? undefined : read(ca);
  return { credentials: { rootCertificate: root as Buffer, ...ours } };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new FailoverError(
      'FAILOVER_BAD_OPTION',
      `Cannot use --lease: the file ${path} cannot be read (${why})`,
      { cause, details: { option: '--lease', expected: 'the path of a PEM file' } },
    );
  }
}
