// The JSON Schema of a file of groups, made of the table of options: what editors complete and underline.
import type { OptionSpec } from '../options.ts';
import { packageVersion } from '../../version.ts';
import { GROUPS_LIMIT, GROUP_OPTIONS, PROCESS_OPTIONS } from './keys.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Draft 7, which editors know best. It can't tell relations, or what a variable stands for. */
export function groupFileSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `failover ${packageVersion()}: the groups of \`failover up\``,
    type: 'object',
    required: ['groups'],
    properties: {
      groups: {
        description: 'The groups by name, each with its options and its command.',
        type: 'object',
        minProperties: 1,
        maxProperties: GROUPS_LIMIT,
        propertyNames: { pattern: '^(?!\\.{1,2}$)[A-Za-z0-9._-]{1,64}$' },
        additionalProperties: { anyOf: [{ $ref: '#/definitions/group' }, NOTHING] },
      },
      defaults: {
        description: 'Defaults for all groups.',
        anyOf: [{ $ref: '#/definitions/group' }, NOTHING],
      },
      variables: {
        description: 'Values substituted for ${NAME}; others come from the environment.',
        type: ['object', 'null'],
        propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
      ...propertiesOf(PROCESS_OPTIONS),
    },
    patternProperties: { '^x-': {} },
    additionalProperties: false,
    definitions: {
      group: {
        type: 'object',
        properties: { command: COMMAND, ...propertiesOf(GROUP_OPTIONS) },
        additionalProperties: false,
      },
      variable: { description: 'A string with variables.', type: 'string', pattern: '\\$\\{' },
    },
  };
}

/** As if it were not there. */
const NOTHING: Schema = { type: 'null' };

const COMMAND: Schema = {
  description: 'The command and its arguments as a list, or a string that is run by `sh -c`.',
  anyOf: [
    {
      type: 'array',
      minItems: 1,
      items: [{ type: ['string', 'number', 'boolean'], minLength: 1 }],
      additionalItems: { type: ['string', 'number', 'boolean'] },
    },
    { type: 'string', pattern: '\\S' },
    NOTHING,
  ],
};

function propertiesOf(options: readonly OptionSpec[]): Record<string, Schema> {
  return Object.fromEntries(options.map((option) => [option.key, schemaOf(option)]));
}

function schemaOf(option: OptionSpec): Schema {
  const { sentence, defaultText, default: text } = option;
  const shown = defaultText ?? text;
  const description = shown === null ? sentence : `${sentence} (default: ${shown})`;
  return { description, anyOf: [...valuesOf(option), { $ref: '#/definitions/variable' }, NOTHING] };
}

/** What a text may look like is said where that is all there is to it. */
function valuesOf(option: OptionSpec): readonly Schema[] {
  const { kind, choices, min, max } = option;
  if (choices !== undefined) return [{ enum: choices }];
  switch (kind) {
    case 'boolean':
      return [{ type: 'boolean' }, { type: 'string', pattern: anyCase(BOOLEANS) }];
    case 'integer':
      return [
        {
          type: 'integer',
          ...(min === undefined ? {} : { minimum: min }),
          ...(max === undefined ? {} : { maximum: max }),
        },
        { type: 'string', pattern: '^-?[0-9]+$' },
      ];
    case 'duration':
      return [{ type: 'string', pattern: `^(?:0|${DURATION})$` }, { const: 0 }];
    case 'duration-range':
      return [{ type: 'string', pattern: `^(?:0|${DURATION})\\.\\.(?:0|${DURATION})$` }];
    default:
      return [
        { type: 'string', pattern: '\\S' },
        ...(option.mayBePort === true ? [{ type: 'integer', minimum: 0, maximum: 65_535 }] : []),
      ];
  }
}

const BOOLEANS = ['true', 'false', 'yes', 'no', 'on', 'off', '1', '0'];

/** Something of the units from large to small. */
const DURATION = '(?=[0-9])(?:[0-9]+h)?(?:[0-9]+m(?!s))?(?:[0-9]+s)?(?:[0-9]+ms)?';

function anyCase(words: readonly string[]): string {
  const letters = (word: string): string =>
    word.replaceAll(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);
  return `^(?:${words.map(letters).join('|')})$`;
}
