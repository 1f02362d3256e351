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
    fact: `${show(key ?? 'insecure')} is about TCP, and ${show('bind')} has none`,
    hint: 'Give --bind an address, such as tcp://10.0.0.5:7400, or leave it out.',
  };
}

function tcpHasKeys(options: RunOptions, show: Show): ReturnType<Relation> {
  if (!isTcp(options) || options.keyFile !== null || options.insecure) return null;
  return {
    fact: `whoever reaches ${show('bind')} could read all and order this node about`,
    hint: 'Make a key with `failover keygen` and give it with --key-file, or say --insecure.',
  };
}

function keysAreUsed(options: RunOptions, show: Show): ReturnType<Relation> {
  const { keyFile, authorizedKeys, insecure } = options;
  if (insecure && keyFile !== null) {
    return {
      fact: `${show('keyFile')} is for encrypted connections, and ${show('insecure')} for open ones`,
      hint: 'Leave one of them out, alike on every node of the group.',
    };
  }
  if (authorizedKeys === null || keyFile !== null) return null;
  return {
    fact: `${show('authorizedKeys')} lets others in by their keys, and this node has none`,
    hint: 'Give its own with --key-file.',
  };
}

function anyAddressIsAdvertised(options: RunOptions, show: Show): ReturnType<Relation> {
  const bind = parseBind(options.bind);
  if (bind.kind === 'ipc' || options.advertise !== null || !ANY.test(bind.host)) return null;
  return {
    fact: `${show('bind')} is no address that another machine could connect to`,
    hint: 'Say where others reach this node with --advertise HOST.',
  };
}

/** `*`, or an address of nothing but zeros, which IPv6 has many ways to write. */
const ANY = /^(?:\*|[0:.]+)$/;

function tcpHasLeaseOfMachines(options: RunOptions, show: Show): ReturnType<Relation> {
  if (!isTcp(options) || endsByItself(parseLease(options.lease))) return null;
  return {
    fact: `with ${show('lease')} all nodes are on one machine, and ${show('bind')} is for several`,
    hint: 'Give --lease the address of a server, or leave --bind out.',
  };
}

function tokenHasHttp({ http, httpTokenFile }: RunOptions, show: Show): ReturnType<Relation> {
  if (httpTokenFile === null || http !== null) return null;
  return {
    fact: `${show('httpTokenFile')} is about HTTP, and this node answers none`,
    hint: 'Give --http an address, such as 8008, or leave it out.',
  };
}

type Show = Parameters<Relation>[1];

function isTcp({ bind }: RunOptions): boolean {
  return parseBind(bind).kind === 'tcp';
}
