// Proves that a simulated run depends on its seed alone: no clock, timer, chance or process is within reach.
import { describe } from 'vitest';
import { compilesOnlyPureCode, lintsOnlyPureCode } from '../support/purity-cases.ts';

describe('the compiler', () => {
  compilesOnlyPureCode('simulation', '..');
});

describe('the linter', () => {
  const refused = {
    'a timer': 'setTimeout(() => {}, 1);\nexport {};\n',
    'the process': 'export const x: unknown = process.pid;\n',
    'the clock of the process': 'export const x: number = performance.now();\n',
    'an adapter': "export { FileLease } from '../lease/file/file-lease.ts';\n",
    'what is beside a module that it may know': "export { x } from '../config/load.ts';\n",
  };
  const imports = [
    './world.ts',
    '../core/state.ts',
    '../config/choices.ts',
    '../runtime/orders.ts',
  ];
  lintsOnlyPureCode('src/simulation/world.ts', refused, imports);
});
