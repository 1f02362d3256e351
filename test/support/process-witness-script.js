#!/usr/bin/env node
// The witness where no compiler is: slower to start, and the same to its readers.
import { appendFileSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** @type {unknown} It has no types. */
const loaded = createRequire(import.meta.url)('fs-native-extensions');
const { tryLock, unlock } =
  /** @type {{ tryLock: (fd: number) => boolean, unlock: (fd: number) => void }} */ (loaded);

const args = process.argv.slice(2);
const numberOf = (/** @type {string} */ name) => {
  const place = args.indexOf(name);
  return place < 0 ? null : Number(args[place + 1]);
};
const directory = process.env['WITNESS_DIR'] ?? '';
const lock = openSync(join(directory, 'witness.lock'), 'a+');
let epoch = '0';
let active = false;

/** @param {string} what */
function say(what) {
  const line = `${what} ${String(process.hrtime.bigint())} ${epoch} ${String(process.pid)}\n`;
  appendFileSync(join(directory, 'witness.log'), line);
}

/** @param {string} given */
function becomeActive(given) {
  epoch = given;
  say(tryLock(lock) || active ? 'start' : 'overlap');
  active = true;
}

function becomeIdle() {
  if (active) say('end');
  active = false;
  unlock(lock);
}

/** @param {number} code */
function end(code) {
  becomeIdle();
  process.exit(code);
}

process.on('SIGTERM', () => {
  if (args.includes('--ignore-term')) say('ignored');
  else
    setTimeout(
      () => {
        end(0);
      },
      numberOf('--stop-ms') ?? 0,
    );
});
const isHot = args.includes('--hot') || args.includes('--disobey');
if (isHot) {
  process.on('SIGUSR1', () => {
    const text = readFileSync(process.env['FAILOVER_ROLE_FILE'] ?? '', 'utf8');
    becomeActive(/"epoch":(\d+)/.exec(text)?.[1] ?? '0');
  });
  process.on('SIGUSR2', () => {
    if (!args.includes('--disobey')) becomeIdle();
  });
}
if (!isHot || process.env['FAILOVER_ROLE'] === 'primary') {
  becomeActive(process.env['FAILOVER_EPOCH'] ?? '0');
} else {
  say('standby');
}
const endsAfterMs = numberOf('--exit-after-ms');
if (endsAfterMs === null) setInterval(() => undefined, 60_000);
else
  setTimeout(() => {
    end(numberOf('--exit-code') ?? 0);
  }, endsAfterMs);
