// The texts of the program: each string and template of src, with the place where it stands.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './pages.ts';

export interface SourceText {
  /** `src/errors.ts:12`. */
  readonly place: string;
  /** As it is written between its quotes: what is put into a template stands as `${…}`. */
  readonly text: string;
  /** Whether it ends the message of an error: it is what one is made of, or begins as all of them do. */
  readonly endsMessage: boolean;
}

export function readSourceTexts(): readonly SourceText[] {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts')).flatMap((name) => textsOf(`src/${name}`));
}

function textsOf(path: string): readonly SourceText[] {
  const source = readFileSync(join(ROOT, path), 'utf8');
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const texts: SourceText[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) {
      const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      const text = node.getText().slice(1, -1);
      const place = `${path}:${String(line)}`;
      texts.push({ place, text, endsMessage: endsMessage(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return texts;
}

function endsMessage(node: ts.Expression): boolean {
  const { parent } = node;
  if (ts.isBinaryExpression(parent)) {
    return parent.right === node && (endsMessage(parent) || saysCannot(parent));
  }
  if (ts.isConditionalExpression(parent)) return parent.condition !== node && endsMessage(parent);
  if (ts.isNewExpression(parent)) return parent.expression.getText().endsWith('Error');
  return saysCannot(node);
}

function saysCannot(node: ts.Expression): boolean {
  return node.getText().startsWith('Cannot ', 1);
}
