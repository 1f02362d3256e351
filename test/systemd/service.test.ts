// What a service manager is told of a node, and by what it is reached.
import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RunService } from '../../src/cli/run-service.ts';
import { openService, Service } from '../../src/cli/service.ts';
import { tellOfGroups } from '../../src/cli/up/up-service.ts';
import type { ToldGroups } from '../../src/cli/up/up-service.ts';
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
    node.emit('transition', change('primary', 'serving', 'This node is now primary: epoch 7'));
    service.stops('Got SIGTERM');
    node.emit('transition', change('primary', 'demoting', 'Stop requested'));
    node.emit('transition', change('stopped', 'stopping', 'Stepped down'));
    expect(told).toEqual([
      { STATUS: 'node a may live' },
      { READY: '1', STATUS: 'secondary of group web (listening), epoch 6' },
      { STATUS: 'primary of group web, epoch 7: This node is now primary: epoch 7' },
      { STOPPING: '1', STATUS: 'Got SIGTERM' },
      { STATUS: 'primary of group web (demoting), epoch 7: Stop requested' },
      { STATUS: 'stopped of group web (stopping), epoch 7: Stepped down' },
    ]);
  });

  it('is told of an end that nobody asked this process for', () => {
    const { service, node, told } = stage(null);
    service.serve(node);
    node.emit('transition', change('stopped', 'stopping', 'The work is completed'));
    expect(told.at(-1)).toMatchObject({ STOPPING: '1' });
  });

  it('hears a sign of life four times in its time, while the loop turns and until the node has ended', async () => {
    vi.useFakeTimers();
    const { service, node, told, end } = stage(30_000);
    service.serve(node);
    const signs = (): number => told.filter((fields) => 'WATCHDOG' in fields).length;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(signs()).toBe(4);
    node.isTurning = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(signs()).toBe(4);
    node.isTurning = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(signs()).toBe(5);
    end();
    await Promise.resolve();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(signs()).toBe(5);
  });

  it.each(['a loop that does not turn', 'a message that does not arrive'])(
    'hears the next sign of life in good time after %s at one of them',
    async (what) => {
      vi.useFakeTimers();
      const { service, node, told, line } = stage(30_000);
      const start = Date.now();
      const signs: number[] = [];
      line.heard = (fields) => {
        if ('WATCHDOG' in fields && line.isOpen) signs.push(Date.now() - start);
      };
      service.serve(node);
      await vi.advanceTimersByTimeAsync(8_000);
      if (what.startsWith('a loop')) node.isTurning = false;
      else line.isOpen = false;
      await vi.advanceTimersByTimeAsync(7_500);
      [node.isTurning, line.isOpen] = [true, true];
      await vi.advanceTimersByTimeAsync(10_000);
      expect(told.length).toBeGreaterThan(2);
      const [first = 0, second = Infinity] = signs;
      expect(first).toBe(7_500);
      expect(second - first).toBeLessThan(15_000);
    },
  );

  it.each([['@abstract'], ['vsock:2:1']])('at %s is refused', async (socket) => {
    const opened = openService({ NOTIFY_SOCKET: socket }, () => undefined);
    const failed: unknown = await opened.catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'FAILOVER_USAGE', exitCode: 2 });
    expect(String(failed)).toContain('not a socket path');
  });

  it('that can not be told anything, as the binding is not there, is refused', async () => {
    vi.doMock('../../src/systemd/service-manager.ts', () => {
      throw new Error('Cannot find module');
    });
    try {
      const opened = openService({ NOTIFY_SOCKET: '/run/n' }, () => undefined);
      const failed: unknown = await opened.catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: 'FAILOVER_USAGE', exitCode: 2 });
      expect(failed).toMatchObject({ hint: expect.stringContaining('Type=exec') as string });
    } finally {
      vi.doUnmock('../../src/systemd/service-manager.ts');
    }
  });
});

describe('the manager of a process of many groups', () => {
  it('is told when each takes part or could not, how many lead as that changes, and its end', async () => {
    vi.useFakeTimers();
    const { fleet, told, begin, end } = stageOfGroups(null);
    await vi.advanceTimersByTimeAsync(900);
    expect(told).toEqual([]);
    fleet.roles = ['secondary', 'primary', 'secondary'];
    fleet.notRunning = ['d'];
    begin();
    await vi.advanceTimersByTimeAsync(50);
    const first = '3 groups, primary of 1, secondary of 2, not running: d';
    expect(told).toEqual([{ READY: '1', STATUS: first }]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told).toHaveLength(1);
    fleet.roles = ['primary', 'primary', 'candidate'];
    fleet.notRunning = Array.from({ length: 7 }, (_, index) => `g${String(index)}`);
    await vi.advanceTimersByTimeAsync(1_000);
    const next =
      '3 groups, primary of 2, candidate of 1, not running: g0, g1, g2, g3, g4 and 2 more';
    expect(told.slice(1)).toEqual([{ STATUS: next }]);
    [fleet.isEnding, fleet.roles, fleet.notRunning] = [true, ['primary'], []];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told.slice(2)).toEqual([{ STOPPING: '1', STATUS: 'ending 1 group, primary of 1' }]);
    end();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told.slice(3)).toEqual([{ STATUS: 'all groups have ended' }]);
  });

  it.each(['all have ended', 'they are told to end'])(
    'is told of no start once %s',
    async (what) => {
      vi.useFakeTimers();
      const { fleet, told, begin, end } = stageOfGroups(null);
      if (what === 'all have ended') end();
      else fleet.isEnding = true;
      begin();
      await vi.advanceTimersByTimeAsync(2_000);
      expect(told.flatMap((fields) => Object.keys(fields))).toEqual(['STOPPING', 'STATUS']);
    },
  );

  it('hears that it lives from when it is ready, while one of them decides', async () => {
    vi.useFakeTimers();
    const { fleet, told, begin } = stageOfGroups(4_000);
    const signs = (): number => told.filter(({ WATCHDOG }) => WATCHDOG === '1').length;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(signs()).toBe(0);
    begin();
    await vi.advanceTimersByTimeAsync(4_100);
    expect(signs()).toBe(4);
    fleet.isTurning = false;
    await vi.advanceTimersByTimeAsync(8_000);
    expect(signs()).toBe(4);
  });
});

function stageOfGroups(watchdogMs: number | null) {
  const told: Readonly<Record<string, string>>[] = [];
  let begin = (): void => undefined;
  let end = (): void => undefined;
  const fleet = {
    begun: new Promise<void>((resolve) => {
      begin = resolve;
    }),
    ended: new Promise<number>((resolve) => {
      end = () => {
        resolve(0);
      };
    }),
    isEnding: false,
    isTurning: true,
    notRunning: [] as readonly string[],
    roles: [] as ToldGroups['roles'],
  };
  const tell = (fields: Readonly<Record<string, string>>): Promise<boolean> => {
    told.push(fields);
    return Promise.resolve(true);
  };
  tellOfGroups(new Service({ tell }, watchdogMs), fleet);
  return {
    fleet,
    told,
    begin: () => {
      begin();
    },
    end: () => {
      end();
    },
  };
}

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
  const line: { isOpen: boolean; heard: (fields: Readonly<Record<string, string>>) => void } = {
    isOpen: true,
    heard: () => undefined,
  };
  const tell = (fields: Readonly<Record<string, string>>): Promise<boolean> => {
    told.push(fields);
    line.heard(fields);
    return Promise.resolve(line.isOpen);
  };
  const service = new RunService(new Service({ tell }, watchdogMs), 'web');
  return {
    line,
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
