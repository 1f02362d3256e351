// Unit tests run first, two files at a time; then those that start processes, of which more run: they mostly wait.
import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/longest-first.ts';

/** What starts real nodes and servers. */
const PROCESSES = [
  'test/process/**/*.test.ts',
  'test/contracts/**/*.test.ts',
  'test/hosts/**/*.test.ts',
  'test/chaos/chaos.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/totals-reporter.ts'],
    sequence: { sequencer: LongestFirst },
    coverage: { provider: 'v8', include: ['src/**/*.ts'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: PROCESSES,
          testTimeout: 20_000,
          hookTimeout: 20_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: PROCESSES,
          // Far more than any of them takes, also where other programs have the CPU.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
