// A program that is primary or secondary itself: of all that run, one has the timer. Started as often as you like.
//
//   node scheduler.js [STATE_DIR]
import { Watcher } from 'failover-cli';

const end = new AbortController();
process.once('SIGINT', () => {
  end.abort();
});
process.once('SIGTERM', () => {
  end.abort();
});

await using watcher = Watcher.secondary({
  group: 'scheduler',
  stateDir: process.argv[2] ?? './failover-state',
  heartbeatIntervalMs: 50,
  heartbeatTimeoutMs: 200,
  signal: end.signal,
  promote: async ({ epoch }, signal) => {
    const timer = setInterval(() => {
      console.log(`tick ${String(epoch)}`);
    }, 100);
    signal.addEventListener('abort', () => {
      clearInterval(timer);
    });
  },
});
watcher.on('role', ({ from, to, epoch }) => {
  console.log(`${from} -> ${to} ${String(epoch)}`);
});
const ended = new Promise<void>((resolve) => {
  watcher.on('ended', () => {
    resolve();
  });
});
await watcher.start();
await ended;
