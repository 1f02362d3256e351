// Lint rules: typescript-eslint's strictest sets with types, and purity rules for src/core and src/simulation.
import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * What the compiler can't refuse where a result depends on the input alone: ES2023 itself has a wall clock and
 * a random source.
 *
 * @param {string} what @param {string} folder @param {{ regex: string, message: string }} imports
 * @returns {import('eslint').Linter.Config}
 */
function purity(what, folder, imports) {
  return {
    name: `failover/${folder}-purity`,
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'Date', message: `${what} has no clock: take the time in.` },
        { name: 'globalThis', message: `${what} reaches nothing outside itself.` },
        { name: 'Intl', message: `${what} depends on no locale.` },
        ...REFUSED_BY_COMPILER.map((name) => ({ name, message: `${what} has no ${name}.` })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: `${what} has no chance: take it in.` },
      ],
      'no-restricted-imports': ['error', { patterns: [imports] }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ImportExpression', message: `${what} loads nothing at run time.` },
        { selector: 'TSImportType', message: imports.message },
      ],
    },
  };
}

/** Names that do not compile there either: also an editor that knows only the linter says so. */
const REFUSED_BY_COMPILER = [
  ...['process', 'performance', 'crypto', 'console', 'fetch', 'require', 'Buffer'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
];

const corePurity = purity('The core', 'core', {
  regex: '^(?!\\./)',
  message: 'The core imports only from ./ (its folder).',
});

const simulationPurity = purity('The simulation', 'simulation', {
  regex: '^(?!\\./|\\.\\./core/|\\.\\./config/choices\\.ts$|\\.\\./runtime/orders\\.ts$)',
  message: 'The simulation imports from ./ and the core, and what both need of the adapters.',
});

export default defineConfig(
  globalIgnores(['dist', 'coverage', 'node_modules', 'docs/examples']),
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      // A reference would bring the types of Node into src/core by the back door.
      '@typescript-eslint/triple-slash-reference': [
        'error',
        { lib: 'never', path: 'never', types: 'never' },
      ],
      'max-lines': ['warn', { max: 300, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports' },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  corePurity,
  simulationPurity,
  {
    name: 'failover/one-name-of-a-test',
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'vitest', importNames: ['test'], message: 'A test is called `it` here.' },
          ],
        },
      ],
    },
  },
  {
    // The type checker already knows these names, and JavaScript here is checked by it too.
    files: ['**/*.js'],
    rules: { 'no-undef': 'off' },
  },
);
