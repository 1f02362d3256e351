// A YAML document whose parts know where they stand: what is no YAML, or means two things, is refused.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Alias, Document, Node } from 'yaml';
import type { Place, Problems } from './problems.ts';

/** A value of the document, aliases followed. */
export type Part =
  | ({ readonly kind: 'text'; readonly text: string; readonly isPlain: boolean } & Place)
  /** As it was written, and what is meant by that. */
  | ({ readonly kind: 'number'; readonly text: string; readonly value: string } & Place)
  | ({ readonly kind: 'boolean'; readonly text: string } & Place)
  | ({ readonly kind: 'nothing' } & Place)
  | ({ readonly kind: 'list'; readonly items: readonly Part[] } & Place)
  | ({ readonly kind: 'map'; readonly entries: ReadonlyMap<string, Entry> } & Place);

/** A key with its value. */
export interface Entry {
  readonly key: Place;
  readonly value: Part;
}

/** The document's one value; null when it could not be read at all, which `problems` then tells of. */
export function readDocument(text: string, problems: Problems): Part | null {
  const lines = new LineCounter();
  const document = parsed(text, lines, problems);
  if (document === null) return null;
  if (document.errors.length > 0) {
    tellOfErrors(document, lines, problems);
    return null;
  }
  const targets = targetsOf(document, lines, problems);
  if (targets === null) return null;
  return new Reader(lines, targets, problems).part(document.contents, DEPTH_LIMIT);
}

/** A file needs three levels, and a command is a list on the next one; each may be an alias. */
const DEPTH_LIMIT = 8;

/** Aliases of aliases grow without end in a few lines; without them no file that may be read has as many. */
const PARTS_LIMIT = 1_000_000;

const ADVICE: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'Keep a single document, without `---` separators.',
  TAB_AS_INDENT: 'Indent with spaces.',
};

/** Without the library's look for equal keys, which takes longer than all the rest where there are many. */
function parsed(text: string, lines: LineCounter, problems: Problems): Document.Parsed | null {
  try {
    return parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.add({ line: 1, column: 1 }, TOO_DEEP, 'Make it flat.');
    return null;
  }
}

/** Of a line the first: what is said after it mostly follows from that. */
function tellOfErrors({ errors }: Document.Parsed, lines: LineCounter, problems: Problems): void {
  const told = new Set<number>();
  for (const { code, message, pos } of errors) {
    const place = placeAt(lines, pos[0]);
    if (told.has(place.line)) continue;
    told.add(place.line);
    // The parser has no stack left.
    if (message.startsWith('Maximum call stack')) problems.add(place, TOO_DEEP, 'Make it flat.');
    else {
      const advice = ADVICE[code] ?? 'Fix the YAML around this place.';
      problems.add(place, `Cannot read the YAML: ${firstLine(message)}`, advice);
    }
  }
}

const TOO_DEEP = 'Cannot read the YAML: it is nested too deeply';

/** What each alias stands for: the last of its name before it. Null: there are too many to follow. */
function targetsOf(
  document: Document.Parsed,
  lines: LineCounter,
  problems: Problems,
): ReadonlyMap<Alias, Node> | null {
  const targets = new Map<Alias, Node>();
  const anchors = new Map<string, Node>();
  let count = 0;
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        return undefined;
      }
      count += 1;
      const target = anchors.get(node.source);
      if (target !== undefined) targets.set(node, target);
      return count > ALIAS_LIMIT ? visit.BREAK : undefined;
    },
  });
  if (count <= ALIAS_LIMIT) return targets;
  const limit = `more than ${String(ALIAS_LIMIT)} aliases`;
  problems.add(placeAt(lines, 0), `Cannot follow ${limit}`, 'Put what they share in `defaults`.');
  return null;
}

/** One for each group that there may be. */
const ALIAS_LIMIT = 10_000;

class Reader {
  readonly #lines: LineCounter;
  readonly #targets: ReadonlyMap<Alias, Node>;
  readonly #problems: Problems;
  #parts = 0;

  constructor(lines: LineCounter, targets: ReadonlyMap<Alias, Node>, problems: Problems) {
    this.#lines = lines;
    this.#targets = targets;
    this.#problems = problems;
  }

  /** Deeper than `depth` nothing means anything, and an alias that stands for what it is in would have no end. */
  part(node: unknown, depth: number): Part {
    const place = this.#placeOf(node);
    this.#parts += 1;
    if (this.#parts > PARTS_LIMIT) return this.#tooMuch(place);
    if (isAlias(node)) {
      const target = this.#targets.get(node);
      if (target !== undefined && depth === 0) return { kind: 'nothing', ...place };
      if (target !== undefined) return { ...this.part(target, depth - 1), ...place };
      this.#problems.add(place, `Cannot follow *${node.source}`, `Put &${node.source} before it.`);
      return { kind: 'nothing', ...place };
    }
    if (isScalar(node)) return this.#scalar(node, place);
    if (depth > 0 && isSeq(node)) {
      const items = node.items.map((item) => this.part(item, depth - 1));
      return { kind: 'list', items, ...place };
    }
    if (depth > 0 && isMap(node))
      return { kind: 'map', entries: this.#entries(node, depth), ...place };
    return { kind: 'nothing', ...place };
  }

  /** Told once. */
  #tooMuch(place: Place): Part {
    if (this.#parts === PARTS_LIMIT + 1) {
      this.#problems.add(
        place,
        'Cannot expand aliases: their expansion is too large',
        'Use fewer.',
      );
    }
    return { kind: 'nothing', ...place };
  }

  #scalar(node: { value: unknown; source?: string; type?: string }, place: Place): Part {
    const { value, source, type } = node;
    switch (typeof value) {
      case 'string':
        return { kind: 'text', text: value, isPlain: type === 'PLAIN', ...place };
      case 'number':
      case 'bigint':
        return { kind: 'number', text: source ?? String(value), value: String(value), ...place };
      case 'boolean':
        return { kind: 'boolean', text: source ?? String(value), ...place };
      default:
        return { kind: 'nothing', ...place };
    }
  }

  #entries(
    node: { readonly items: readonly { readonly key: unknown; readonly value: unknown }[] },
    depth: number,
  ): ReadonlyMap<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const { key, value } of node.items) {
      const place = this.#placeOf(key);
      const name = isScalar(key) ? nameOf(key) : null;
      if (name === null) {
        this.#problems.add(place, 'Cannot use this as a key', 'Give a word.');
        continue;
      }
      const first = entries.get(name);
      if (first !== undefined) {
        const fact = `Cannot use ${name} twice: it is already in line ${String(first.key.line)}`;
        this.#problems.add(place, fact, 'Omit one of them.');
        continue;
      }
      const part = this.part(value, depth - 1);
      // What is left empty stands nowhere: its key does.
      const stands = part.line > 0 ? part : { ...part, ...place };
      entries.set(name, { key: place, value: stands });
    }
    return entries;
  }

  #placeOf(node: unknown): Place {
    const range = isRanged(node) ? node.range : null;
    return range === null ? NOWHERE : placeAt(this.#lines, range[0]);
  }
}

const NOWHERE: Place = { line: 0, column: 0 };

/** A group may be called 1 or true: what it is called is what is written there. */
function nameOf({ value, source }: { value: unknown; source?: string }): string | null {
  if (typeof value === 'string') return value;
  return value === null ? null : (source ?? null);
}

function isRanged(node: unknown): node is { readonly range: readonly [number, number, number] } {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : null;
  return Array.isArray(range);
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/[.:]+$/, '');
}
