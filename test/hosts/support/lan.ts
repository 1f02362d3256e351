// Hosts on one machine: each has network, processes and host name of its own, and a cable to a switch that loses
// what it is told to. All of it ends with the process that made it: namespaces are kept by nothing but processes.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { lackOf } from '../../support/lack.ts';

/** Where a host is in the network. */
export interface Place {
  readonly name: string;
  readonly address: string;
  /** Stays the same over its starts, as that of a machine does: the others remember it. */
  readonly ethernet: string;
}

export function placeOf(name: string, number: number): Place {
  const [address, ethernet] = [`10.0.0.${String(number)}`, `02:00:00:00:00:0${String(number)}`];
  return { name, address, ethernet };
}

/** Why there can be no hosts here; null: there can. */
export function lackOfHosts(): string | null {
  const namespaces = ['--net', '--pid', '--fork', '--mount-proc', '--uts'];
  const env = { ...process.env, LASTING: 'true' };
  const how = { env, encoding: 'utf8' } as const;
  const tried = spawnSync('unshare', [...namespaces, 'sh', '-ec', SWITCH], how);
  const why =
    'no network namespaces with nftables can be made here ' +
    `(root; Debian: apt-get install iproute2 nftables): ${tried.stderr.trim().split('\n')[0] ?? ''}`;
  return lackOf('hosts', tried.status === 0, why);
}

export class Lan {
  readonly #switch: ChildProcess;
  readonly #pid: string;

  private constructor(child: ChildProcess) {
    this.#switch = child;
    this.#pid = String(child.pid);
  }

  static async start(env: NodeJS.ProcessEnv): Promise<Lan> {
    const child = spawn('setpriv', [...ENDS_WITH_US, 'unshare', '--net', 'sh', '-ec', SWITCH], {
      env: { ...env, LASTING: 'exec sleep infinity' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [
      Buffer | number, // what either event has
    ];
    if (!Buffer.isBuffer(said)) throw new Error('the switch was not made');
    return new Lan(child);
  }

  /** The words before those of a command that becomes the one that a new host runs. */
  hostFor({ name, address, ethernet }: Place): readonly string[] {
    return [
      ...['setpriv', ...ENDS_WITH_US, 'unshare', '--net', 'sh', '-ec', HOST],
      ...[name, address, ethernet, this.#pid, BEGIN],
    ];
  }

  /** Nothing gets from the first to the second any more, in silence. */
  lose(from: Place, to: Place): void {
    this.#do('nft', 'add', 'element', ...LOST, `{ "${from.name}" . "${to.name}" }`);
  }

  /** Nothing gets through between two. */
  part(one: Place, other: Place): void {
    this.#do('nft', 'add', 'element', ...LOST, pairsOf(one, other));
  }

  heal(): void {
    this.#do('nft', 'flush', 'set', ...LOST);
  }

  /** Removes the cable: nobody hears of it, and no connection is closed. */
  unplug({ name }: Place): void {
    this.#do('ip', 'link', 'delete', name);
  }

  async stop(): Promise<void> {
    if (this.#switch.exitCode !== null || this.#switch.signalCode !== null) return;
    this.#switch.kill('SIGKILL');
    await once(this.#switch, 'exit');
  }

  #do(...words: readonly string[]): void {
    const done = spawnSync('nsenter', ['--target', this.#pid, '--net', ...words]);
    if (done.status !== 0) throw new Error(`${words.join(' ')}: ${done.stderr.toString()}`);
  }
}

function pairsOf({ name: one }: Place, { name: other }: Place): string {
  return `{ "${one}" . "${other}", "${other}" . "${one}" }`;
}

const ENDS_WITH_US = ['--pdeathsig', 'KILL'] as const;

const LOST = ['bridge', 'cables', 'lost'] as const;

/** Each port has the name of its host. What is lost is lost on the way, as in a network: no host knows of it. */
const SWITCH = `
ip link add switch type bridge stp_state 0 forward_delay 0
ip link set switch up
nft -f - <<END
table bridge cables {
  set lost { type ifname . ifname; }
  chain forward {
    type filter hook forward priority 0;
    iifname . oifname @lost drop
  }
}
END
echo made
$LASTING
`;

/** `$0` is its name; then its addresses, the switch, what begins it, and the words of what it runs. */
const HOST = `
address=$1 ethernet=$2 switch=$3 begin=$4
shift 4
ip link add eth0 address "$ethernet" type veth peer name "$0" netns "$switch"
ip address add "$address/24" dev eth0
ip link set lo up
ip link set eth0 up
nsenter --target "$switch" --net ip link set "$0" master switch up
exec unshare --pid --fork --kill-child --mount-proc --uts sh -ec "$begin" "$0" "$@"
`;

/**
 * Each start of a host is another boot. Its first process outlives what it runs, and waits for all that is left
 * to it.
 */
const BEGIN = `
hostname "$0"
mount -t tmpfs none /run
cat /proc/sys/kernel/random/uuid > /run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
"$@" &
while :; do wait; sleep 1; done
`;
