// The variables by which a service manager says where it wants to be told what, taken away from all that is started.
/** Whom to tell, and how often. */
interface NotifyEnvironment {
  /** The path of its socket. */
  readonly socket: string;
  /** Within this time it wants a sign of life, ms; null: it wants none. */
  readonly watchdogMs: number | null;
}

/**
 * Null: nobody wants to be told. The variables are removed: a command that found them would speak in the name of its
 * supervisor, and say that all is well while that is not.
 */
export function takeNotifyEnvironment(env: NodeJS.ProcessEnv): NotifyEnvironment | null {
  const socket = env['NOTIFY_SOCKET'] ?? '';
  const watchdogMs = watchdogOf(env);
  for (const name of VARIABLES) Reflect.deleteProperty(env, name);
  return socket === '' ? null : { socket, watchdogMs };
}

const VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];

/** Of this process, and of no other. */
function watchdogOf(env: NodeJS.ProcessEnv): number | null {
  const pid = env['WATCHDOG_PID'] ?? '';
  if (pid !== '' && pid !== String(process.pid)) return null;
  const text = env['WATCHDOG_USEC'] ?? '';
  const watchdogMs = /^\d{1,18}$/.test(text) ? Number(text) / 1e3 : 0;
  return watchdogMs > 0 ? watchdogMs : null;
}
