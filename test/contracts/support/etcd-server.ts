// A server of etcd of the test's own: free loopback ports, a directory of its own, gone afterwards.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { lackOf } from '../../support/lack.ts';
import { bringToStandstill } from '../../support/standstill.ts';
import { until } from '../../support/until.ts';

/** Why there is no server to test with; null: there is. */
export function lackOfEtcd(): string | null {
  const isThere = spawnSync('etcd', ['--version']).status === 0;
  return lackOf('etcd', isThere, 'there is no etcd here (Debian: apt-get install etcd-server)');
}

/** What it takes to encrypt. */
interface Certified {
  readonly key: string;
  readonly certificate: string;
}

export class EtcdServer {
  readonly port: number;
  readonly #peerPort: number;
  readonly #directory: string;
  readonly #options: readonly string[];
  readonly #certified: Certified | null;
  #process: ChildProcess | null = null;

  private constructor(
    ports: readonly [number, number],
    certified: Certified | null,
    { electionMs, hasJwt }: { readonly electionMs: number; readonly hasJwt: boolean },
  ) {
    [this.port, this.#peerPort] = ports;
    this.#directory = mkdtempSync(join(tmpdir(), 'failover-etcd-'));
    this.#certified = certified;
    const { certificate = '', key = '' } = certified ?? {};
    this.#options = [
      ...[
        '--heartbeat-interval',
        String(electionMs / 10),
        '--election-timeout',
        String(electionMs),
      ],
      ...(certified === null ? [] : ['--cert-file', certificate, '--key-file', key]),
      ...(hasJwt ? ['--auth-token', jwtIn(this.#directory)] : []),
    ];
  }

  /** `electionMs`: the shortest lease is one and a half as long, in whole seconds; `hasJwt`: what it gives to users. */
  static async start({
    certified = null,
    electionMs = 100,
    hasJwt = false,
  }: {
    readonly certified?: Certified | null;
    readonly electionMs?: number;
    readonly hasJwt?: boolean;
  } = {}): Promise<EtcdServer> {
    const server = new EtcdServer([await freePort(), await freePort()], certified, {
      ...{ electionMs, hasJwt },
    });
    await server.begin();
    return server;
  }

  async begin(): Promise<void> {
    const scheme = this.#certified === null ? 'http' : 'https';
    const [client, peer] = [
      `${scheme}://${this.#host}`,
      `http://127.0.0.1:${String(this.#peerPort)}`,
    ];
    const place = [
      ...['--data-dir', join(this.#directory, 'data'), '--name', 'one'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', `one=${peer}`],
    ];
    const quiet = ['--log-level', 'error', '--logger', 'zap', '--log-outputs', '/dev/null'];
    const child = spawn('etcd', [...place, ...quiet, ...this.#options], {
      stdio: 'ignore',
    });
    this.#process = child;
    const isUp = (): boolean => this.command('endpoint', 'health').status === 0;
    while (!isUp()) {
      if (child.exitCode !== null) throw new Error('the server has ended');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** SIGKILL, and the loss of all that it has written if that is wanted. */
  async end(what: 'kept' | 'lost' = 'kept'): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    child.kill('SIGKILL');
    await until('the server to end', () => child.exitCode !== null || child.signalCode !== null);
    if (what === 'lost') rmSync(join(this.#directory, 'data'), { recursive: true, force: true });
  }

  /** When it returns, it answers nobody. */
  freeze(): void {
    if (this.#process?.pid !== undefined) bringToStandstill(this.#process.pid);
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** From here on everybody needs a user; there are these two, the second with all that failover needs. */
  requireUsers(rootPassword: string, name: string, password: string): void {
    const root = ['--user', `root:${rootPassword}`];
    this.#must('user', 'add', `root:${rootPassword}`);
    this.#must('user', 'add', `${name}:${password}`);
    this.#must('user', 'add', `stranger:${password}`);
    this.#must('role', 'add', 'failover');
    this.#must('role', 'grant-permission', 'failover', 'readwrite', 'failover', '--prefix=true');
    this.#must('user', 'grant-role', name, 'failover');
    this.#must('user', 'grant-role', 'root', 'root');
    this.#must('auth', 'enable');
    this.#must(...root, 'auth', 'status');
  }

  /** Past any own client of a test. */
  command(...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
    const security = this.#certified === null ? [] : ['--cacert', this.#certified.certificate];
    return spawnSync('etcdctl', ['--endpoints', this.#host, ...security, ...args], {
      env: { ...process.env, ETCDCTL_API: '3' },
      encoding: 'utf8',
    });
  }

  /** How often it was called so far, and how many leases of etcd it was asked to keep. */
  async counts(): Promise<{ readonly calls: number; readonly kept: number }> {
    const text = await (await fetch(`http://${this.#host}/metrics`)).text();
    const sum = (start: string): number =>
      [...text.matchAll(new RegExp(`^${start}.*\\} (\\S+)$`, 'gm'))]
        .map(([, count]) => Number(count))
        .reduce((total, count) => total + count, 0);
    return {
      calls: sum('grpc_server_started_total{'),
      kept: sum('grpc_server_msg_received_total{grpc_method="LeaseKeepAlive"'),
    };
  }

  /** As one that has been in use for long: what it knows is all that there is. */
  growOld(): void {
    this.command('put', 'failover-store/known', '1');
  }

  async stop(): Promise<void> {
    await this.end();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #must(...args: readonly string[]): void {
    const { status, stdout } = this.command(...args);
    if (status !== 0) throw new Error(`etcdctl ${args.join(' ')} has failed: ${stdout}`);
  }

  get #host(): string {
    // The name in its certificate.
    return `${this.#certified === null ? '127.0.0.1' : 'localhost'}:${String(this.port)}`;
  }
}

/** Tokens that say themselves which users and roles there were. */
function jwtIn(directory: string): string {
  const [open, secret] = [join(directory, 'open.pem'), join(directory, 'secret.pem')];
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(open, publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(secret, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  return `jwt,pub-key=${open},priv-key=${secret},sign-method=RS256,ttl=10m`;
}
