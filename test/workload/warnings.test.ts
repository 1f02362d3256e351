import { describe, expect, it } from 'vitest';
import { commandWarnings } from '../../src/workload/warnings.ts';

describe('commandWarnings', () => {
  it.each([
    ['docker run --rm image', 'docker rm -f NAME'],
    ['/usr/bin/podman start web', 'podman rm -f NAME'],
    ['docker compose up', 'docker compose down'],
    ['docker-compose up -d', 'docker-compose down'],
    ['systemctl start nginx', 'systemctl stop UNIT'],
    ['service nginx start', 'service NAME stop'],
    ['systemd-run --unit x sleep 1', 'systemctl stop UNIT'],
    ['kubectl run web --image=x', 'kubectl delete'],
    ['ssh host command', '--demote-command'],
    ['tmux new -d server', 'without a multiplexer'],
    ['pm2 start server.js', 'without a second manager'],
    ['nginx', 'daemon off;'],
    ['redis-server --daemonize yes', 'foreground'],
    ['gunicorn -D app', 'foreground'],
    ['nohup node server.js', 'Leave it out'],
    ['setsid node server.js', 'Leave it out'],
    ['sudo -u web node server.js', 'Run failover itself as that user'],
  ])('warns of `%s` and names the remedy', (command, remedy) => {
    expect(commandWarnings(command.split(' ')).join('\n')).toContain(remedy);
  });

  it.each([
    'node server.js',
    'docker ps',
    'systemctl status x',
    'systemd-run --scope sleep 1',
    'redis-server --daemonize no',
    'redis-server',
    'grep -D skip',
    'rsync --daemon --no-detach',
    'nginx -t',
  ])('says nothing of `%s`', (command) => {
    expect(commandWarnings(command.split(' '))).toEqual([]);
  });

  it('says nothing of nginx in the foreground', () => {
    expect(commandWarnings(['nginx', '-g', 'daemon off;'])).toEqual([]);
  });

  it('looks behind wrappers and into a single command of a shell', () => {
    expect(commandWarnings(['env', 'A=1', 'docker', 'run', 'x'])).toHaveLength(1);
    expect(commandWarnings(['sh', '-c', 'exec docker run x'])).toHaveLength(1);
    expect(commandWarnings(['sudo', 'docker', 'run', 'x'])).toHaveLength(2);
    expect(commandWarnings(['sh', '-c', 'docker run x; wait'])).toEqual([]);
    expect(commandWarnings([])).toEqual([]);
  });
});
