// Takes the kernel lock on a file, says so, and keeps it until its stdin ends or it is killed.
import { openSync } from 'node:fs';
import { createRequire } from 'node:module';

/** @type {unknown} It has no types. */
const loaded = createRequire(import.meta.url)('fs-native-extensions');
const { tryLock } = /** @type {{ tryLock: (fd: number) => boolean }} */ (loaded);

const taken = tryLock(openSync(process.argv[2] ?? '', 'r+'));
process.stdout.write(taken ? 'held\n' : 'refused\n');
process.stdin.resume();
process.stdin.once('end', () => process.exit());
