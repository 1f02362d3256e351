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
      texts.push({ place: `${path}:${String(line)}`, text });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return texts;
}
