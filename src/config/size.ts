// Sizes as people write them (`16KiB`, `64MiB`, `1000`), kept in bytes.
import { FailoverError } from '../errors.ts';
import { quoted } from './quoted.ts';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** @param name what the value was given as, named by the error. @throws FAILOVER_BAD_OPTION when it is none */
export function parseSize(text: string, name: string): number {
  const [, digits, unit = ''] = /^(\d{1,12})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * (UNITS[unit] ?? 1);
  throw new FailoverError(
    'FAILOVER_BAD_OPTION',
    `Cannot use ${name}: ${quoted(text)} is not a size`,
    {
      details: { option: name, expected: 'a number of bytes, such as 16KiB, 64MiB or 1000' },
    },
  );
}

export function formatSize(bytes: number): string {
  const [unit, factor] = Object.entries(UNITS).findLast(([, size]) => bytes % size === 0) ?? [
    '',
    1,
  ];
  return bytes === 0 ? '0' : `${String(bytes / factor)}${unit}`;
}
