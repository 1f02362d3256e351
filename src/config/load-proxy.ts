// Settings of a proxy from flags, environment and defaults.
import { FailoverError } from '../errors.ts';
import { LOG_FORMATS, PROXY_MODES, READ_FROM } from './choices.ts';
import { loadClientOptions } from './load.ts';
import type { ClientOptions } from './load.ts';
import { OptionReader } from './option-reader.ts';
import type { Given } from './option-reader.ts';
import { parseListen, parseTargets } from './proxy-address.ts';
import type { ListenAddress, Target } from './proxy-address.ts';

/** What a proxy may use of memory, connections and time, whichever way it finds its primary. */
export interface ProxyLimits {
  readonly holdMs: number;
  readonly holdMax: number;
  readonly holdMaxBytes: number;
  readonly repeatMaxBytes: number;
  readonly maxConnections: number;
  readonly maxClients: number;
  readonly maxHeaderBytes: number;
  readonly headerTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** What a proxy of HTTP is told beside where it listens. */
export interface HttpProxyOptions extends ProxyLimits {
  readonly readFrom: (typeof READ_FROM)[number];
}

/** What one `failover proxy` was told. */
export interface ProxyOptions extends HttpProxyOptions, ClientOptions {
  readonly listen: ListenAddress;
  /** Empty: the primary of the group. */
  readonly to: readonly Target[];
  readonly mode: (typeof PROXY_MODES)[number];
  readonly logFormat: (typeof LOG_FORMATS)[number];
  readonly quiet: boolean;
  /** As of `run`: how nodes of other machines are reached, and what all sign with. */
  readonly keyFile: string | null;
  readonly authorizedKeys: string | null;
  readonly insecure: boolean;
  readonly secretFile: string | null;
}

/**
 * @throws FAILOVER_BAD_OPTION or FAILOVER_BAD_GROUP for a value, by name; FAILOVER_USAGE without an address to listen
 * at; FAILOVER_SETTINGS_CONFLICT when two of them contradict each other
 */
export function loadProxyOptions(given: Given): ProxyOptions {
  const read = new OptionReader(given, 'proxy');
  const listen = read.text('listen');
  if (listen === null) {
    throw new FailoverError('FAILOVER_USAGE', 'Cannot start a proxy: no listen address given', {
      hint: 'Set an address with --listen, such as --listen 127.0.0.1:8080.',
    });
  }
  const mode = read.oneOf('mode', PROXY_MODES);
  const to = read.text('to');
  const targets = to === null ? [] : parseTargets(to, read.sourceOf('to'));
  if (to !== null && given.flags['group'] !== undefined) {
    const fact = 'it forwards either to the primary of --group, or to --to';
    throw new FailoverError('FAILOVER_SETTINGS_CONFLICT', `Cannot start a proxy: ${fact}`, {
      hint: 'Omit one of the two.',
    });
  }
  const wrong = targets.find(({ kind }) => kind !== mode);
  if (wrong !== undefined) {
    const fact = `--mode ${mode} cannot forward to ${wrong.url}`;
    throw new FailoverError('FAILOVER_SETTINGS_CONFLICT', `Cannot start a proxy: ${fact}`, {
      hint: `Use --to ${mode}://HOST:PORT, or --mode ${wrong.kind}.`,
    });
  }
  const readFrom = read.oneOf('readFrom', READ_FROM);
  if (mode === 'tcp' && readFrom !== 'primary') {
    const fact = `--mode tcp cannot tell reads from writes, as --read-from ${readFrom} asks`;
    throw new FailoverError('FAILOVER_SETTINGS_CONFLICT', `Cannot start a proxy: ${fact}`, {
      hint: 'Use --mode http, or omit --read-from.',
    });
  }
  return {
    ...loadClientOptions(given),
    ...{ listen: parseListen(listen, read.sourceOf('listen')), to: targets, mode, readFrom },
    logFormat: read.oneOf('logFormat', LOG_FORMATS),
    quiet: read.boolean('quiet'),
    keyFile: read.text('keyFile'),
    authorizedKeys: read.text('authorizedKeys'),
    insecure: read.boolean('insecure'),
    secretFile: read.text('secretFile'),
    ...readLimits(read),
  };
}

function readLimits(read: OptionReader): ProxyLimits {
  return {
    holdMs: read.duration('hold'),
    holdMax: read.integer('holdMax'),
    holdMaxBytes: read.size('holdMaxBytes'),
    repeatMaxBytes: read.size('repeatMaxBytes'),
    maxConnections: read.integer('maxConnections'),
    maxClients: read.integer('maxClients'),
    maxHeaderBytes: read.size('maxHeaderSize'),
    headerTimeoutMs: read.duration('headerTimeout'),
    requestTimeoutMs: read.duration('requestTimeout'),
    answerTimeoutMs: read.duration('answerTimeout'),
    idleTimeoutMs: read.duration('idleTimeout'),
  };
}
