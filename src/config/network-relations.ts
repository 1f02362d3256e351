// What must hold between the settings of how nodes reach each other.
import { parseBind } from './bind.ts';
import { endsByItself, parseLease } from './lease-url.ts';
import type { RunOptions } from './load.ts';
import type { Relation } from './relations.ts';

/** Nothing is open to everyone by accident, and no setting is without effect. */
export const NETWORK_RELATIONS: readonly Relation[] = [
  onlyTcpIsAdvertised,
  tcpHasKeys,
  keysAreUsed,
  anyAddressIsAdvertised,
  tcpHasLeaseOfMachines,
  tokenHasHttp,
];

function onlyTcpIsAdvertised(options: RunOptions, show: Show): ReturnType<Relation> {
  if (isTcp(options)) return null;
  const key = (['advertise', 'keyFile', 'authorizedKeys'] as const).find(
    (candidate) => options[candidate] !== null,
  );
  if (key === undefined && !options.insecure) return null;
  return {
    fact: `${show(key ?? 'insecure')} is about TCP, but ${show('bind')} does not use it`,
    hint: 'Set --bind to an address, such as tcp://10.0.0.5:7400, or omit the option.',
  };
}

function tcpHasKeys(options: RunOptions, show: Show): ReturnType<Relation> {
  if (!isTcp(options) || options.keyFile !== null || options.insecure) return null;
  return {
    fact: `anyone who can reach ${show('bind')} could read messages and control this node`,
    hint: 'Generate a key with `failover keygen` and pass it with --key-file, or use --insecure.',
  };
}

function keysAreUsed(options: RunOptions, show: Show): ReturnType<Relation> {
  const { keyFile, authorizedKeys, insecure } = options;
  if (insecure && keyFile !== null) {
    return {
      fact: `${show('keyFile')} is for encrypted connections, but ${show('insecure')} is for unencrypted ones`,
      hint: 'Omit one of them, the same one on every node of the group.',
    };
  }
  if (authorizedKeys === null || keyFile !== null) return null;
  return {
    fact: `${show('authorizedKeys')} authorizes other nodes by key, but this node has no key`,
    hint: "Set this node's key with --key-file.",
  };
}

function anyAddressIsAdvertised(options: RunOptions, show: Show): ReturnType<Relation> {
  const bind = parseBind(options.bind);
  if (bind.kind === 'ipc' || options.advertise !== null || !ANY.test(bind.host)) return null;
  return {
    fact: `${show('bind')} is not an address that another machine can connect to`,
    hint: 'Set the address where others reach this node with --advertise HOST.',
  };
}

/** `*`, or an address of nothing but zeros, which IPv6 has many ways to write. */
const ANY = /^(?:\*|[0:.]+)$/;

function tcpHasLeaseOfMachines(options: RunOptions, show: Show): ReturnType<Relation> {
  if (!isTcp(options) || endsByItself(parseLease(options.lease))) return null;
  return {
    fact: `with ${show('lease')} all nodes are on one machine, but ${show('bind')} is for several`,
    hint: 'Set --lease to the address of a server, or omit --bind.',
  };
}

function tokenHasHttp({ http, httpTokenFile }: RunOptions, show: Show): ReturnType<Relation> {
  if (httpTokenFile === null || http !== null) return null;
  return {
    fact: `${show('httpTokenFile')} is about HTTP, but this node does not serve HTTP`,
    hint: 'Set --http to an address, such as 8008, or omit the option.',
  };
}

type Show = Parameters<Relation>[1];

function isTcp({ bind }: RunOptions): boolean {
  return parseBind(bind).kind === 'tcp';
}
