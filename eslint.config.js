// Lint rules: typescript-eslint's strictest sets with types, and a purity rule for src/core.
import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * What the compiler can't refuse in src/core: ES2023 itself has a wall clock and a random source.
 * @type {import('eslint').Linter.Config}
 */
const corePurity = {
  name: 'failover/core-purity',
  files: ['src/core/**/*.ts'],
  rules: {
    'no-restricted-globals': [
      'error',
      { name: 'Date', message: 'The core has no clock: take the time from the event.' },
      { name: 'globalThis', message: 'The core reaches nothing outside itself.' },
      { name: 'Intl', message: 'The core depends on no locale.' },
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Math', property: 'random', message: 'The core has no randomness: take it in.' },
    ],
    'no-restricted-imports': [
      'error',
      {
        patterns: [{ regex: '^(?!\\./)', message: 'The core imports only from ./ (its folder).' }],
      },
    ],
    'no-restricted-syntax': [
      'error',
      { selector: 'ImportExpression', message: 'The core loads nothing at run time.' },
      { selector: 'TSImportType', message: 'The core imports only from ./ (its folder).' },
    ],
  },
};

export default defineConfig(
  globalIgnores(['dist', 'coverage', 'node_modules']),
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
  {
    // The type checker already knows these names, and JavaScript here is checked by it too.
    files: ['**/*.js'],
    rules: { 'no-undef': 'off' },
  },
);
