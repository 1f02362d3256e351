// Files of keys and secrets, read as a node reads them: none is shown.
import { readAuthorizedKeys, readKeyFile, readSecretFile } from '../../../keys/key-files.ts';
import { counted } from '../../../core/counted.ts';
import { ok, warning } from '../check.ts';
import type { Check } from '../check.ts';

export const FILE_CHECKS: readonly Check[] = [
  {
    id: 'key-file',
    question: 'Does --key-file have a secret key, readable only by its owner?',
    appliesTo: ({ files }) => files.keyFile !== null,
    run: ({ files }) => {
      const { publicKey } = readKeyFile(files.keyFile ?? '');
      return ok(`${String(files.keyFile)} has the secret key of ${publicKey}`);
    },
  },
  {
    id: 'authorized-keys',
    question: 'Does --authorized-keys have public keys that others cannot change?',
    appliesTo: ({ files }) => files.authorizedKeys !== null,
    run: ({ files }) => {
      const { size } = readAuthorizedKeys(files.authorizedKeys ?? '');
      const fact = `${String(files.authorizedKeys)} has ${counted(size, 'public key')}`;
      if (size > 0) return ok(fact);
      return warning(fact, 'Add the lines of the `.pub` files of the nodes that may connect.');
    },
  },
  {
    id: 'secret-file',
    question: 'Does --secret-file have a secret, readable only by its owner?',
    appliesTo: ({ files }) => files.secretFile !== null,
    run: ({ files }) => {
      const { length } = readSecretFile(files.secretFile ?? '');
      return ok(`${String(files.secretFile)} has a secret of ${counted(length, 'byte')}`);
    },
  },
];
