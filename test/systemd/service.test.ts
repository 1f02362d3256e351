// What a service manager is told of a node, and by what it is reached.
import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openRunService, RunService } from '../../src/cli/run-service.ts';
import type { NodeEvents, NodeTransition } from '../../src/runtime/narrator.ts';
import { takeNotifyEnvironment } from '../../src/systemd/notify-environment.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('the environment', () => {
  it('is read, and taken away from all that is started', () => {
    const env = {
      ...{ NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '30000000' },
      ...{ WATCHDOG_PID: String(process.pid), HOME: '/' },
    };
    expect(takeNotifyEnvironment(env)).toEqual({ socket: '/run/n', watchdogMs: 30_000 });
    expect(env).toEqual({ HOME: '/' });
  });

  it.each([
    [{ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '5', WATCHDOG_PID: '1' }, { watchdogMs: null }],
    [{ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: 'x' }, { watchdogMs: null }],
    [{ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '2000' }, { watchdogMs: 2 }],
    [{ NOTIFY_SOCKET: '' }, null],
    [{ WATCHDOG_USEC: '5' }, null],
  ])('%j', (env, expected) => {
    const taken = takeNotifyEnvironment({ ...env });
    if (expected === null) expect(taken).toBeNull();
    else expect(taken).toMatchObject(expected);
  });
});

describe('a manager', () => {
  it('is told that it is ready, each change, and once that it ends', () => {
    const { service, node, told } = stage(null);
    service.waits('node a may live');
    service.serve(node);
    node.emit('transition', change('primary', 'serving', 'Is primary: epoch 7'));
    service.stops('Got SIGTERM');
    node.emit('transition', change('primary', 'demoting', 'Told to stop'));
    node.emit('transition', change('stopped', 'stopping', 'Has stepped down'));
    expect(told).toEqual([
      { STATUS: 'node a may live' },
      { READY: '1', STATUS: 'secondary of group web (listening), epoch 6' },
      { STATUS: 'primary of group web, epoch 7: Is primary: epoch 7' },
      { STOPPING: '1', STATUS: 'Got SIGTERM' },
      { STATUS: 'primary of group web (demoting), epoch 7: Told to stop' },
      { STATUS: 'stopped of group web (stopping), epoch 7: Has stepped down' },
    ]);
  });

  it('is told of an end that nobody asked this process for', () => {
    const { service, node, told } = stage(null);
    service.serve(node);
    node.emit('transition', change('stopped', 'stopping', 'The work is completed'));
    expect(told.at(-1)).toMatchObject({ STOPPING: '1' });
  });

  it('hears a sign of life at half of its time, while the loop turns and until the node has ended', async () => {
    vi.useFakeTimers();
    const { service, node, told, end } = stage(30_000);
    service.serve(node);
    const signs = (): number => told.filter((fields) => 'WATCHDOG' in fields).length;
    vi.advanceTimersByTime(15_000);
    expect(signs()).toBe(1);
    node.isTurning = false;
    vi.advanceTimersByTime(60_000);
    expect(signs()).toBe(1);
    node.isTurning = true;
    vi.advanceTimersByTime(30_000);
    expect(signs()).toBe(3);
    end();
    await Promise.resolve();
    vi.advanceTimersByTime(60_000);
    expect(signs()).toBe(3);
  });

  it.each([['@abstract'], ['vsock:2:1']])('at %s is not reached, which is said', async (socket) => {
    const said: string[] = [];
    const service = await openRunService({ NOTIFY_SOCKET: socket }, 'web', (text) =>
      said.push(text),
    );
    expect(service).toBeNull();
    expect(said).toEqual([expect.stringContaining(`${socket} is not the path of a socket`)]);
  });
});

class FakeNode extends EventEmitter<NodeEvents> {
  isTurning = true;
  readonly ended: Promise<never>;

  constructor(ended: Promise<never>) {
    super();
    this.ended = ended;
  }

  status(): { role: 'secondary'; phase: 'listening'; epoch: number } {
    return { role: 'secondary', phase: 'listening', epoch: 6 };
  }
}

function stage(watchdogMs: number | null) {
  const told: Readonly<Record<string, string>>[] = [];
  let end = (): void => undefined;
  // What it ended with is nothing to the manager.
  const ended = new Promise<never>((resolve) => {
    end = resolve as () => void;
  });
  const node = new FakeNode(ended);
  const service = new RunService({ tell: (fields) => told.push(fields) }, 'web', watchdogMs);
  return {
    service,
    node,
    told,
    end: () => {
      end();
    },
  };
}

function change(
  role: NodeTransition['role'],
  to: NodeTransition['to'],
  reason: string,
): NodeTransition {
  return { from: 'watching', to, role, epoch: 7, reason, takeover: null, time: new Date(0) };
}
