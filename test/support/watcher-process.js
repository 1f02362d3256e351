// One watcher in a process of its own. Argument: its options as JSON. Prints one JSON object a line; ends
// in order at the end of its input and at SIGTERM.
import process from 'node:process';
import { Watcher } from '../../dist/index.js';

/** @typedef {import('../../dist/index.js').WatcherOptions & { kind: 'primary' | 'secondary' }} Argument */
/** @type {unknown} */
const argument = JSON.parse(process.argv[2] ?? '{}');
const { kind, ...options } = /** @type {Argument} */ (argument);

/** @param {Readonly<Record<string, unknown>>} what */
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const watcher = Watcher[kind]({
  ...options,
  promote: ({ epoch }) => {
    say({ event: 'promote', epoch });
    return Promise.resolve();
  },
});
watcher.on('role', ({ to, epoch, reason }) => say({ event: 'role', role: to, epoch, reason }));
watcher.on('warning', (warning) => say({ event: 'warning', warning }));
process.on('SIGTERM', () => void watcher.shutdown('SIGTERM'));
process.stdin.on('end', () => void watcher.shutdown('end of input')).resume();
// Nothing but the sockets of the watcher and this input keep the process alive.
watcher.on('ended', () => process.stdin.destroy());

await watcher.start();
say({ event: 'started', epoch: watcher.epoch });
