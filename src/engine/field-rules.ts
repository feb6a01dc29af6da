import { DeadLetterError } from './errors.ts';
import { withoutSignature } from './fingerprint.ts';
import { type Json, type Node, type Value, isNode, listOf, parseJson } from './json.ts';

/** The treatments of a field whose value must not leave the program. */
export const treatments = ['exclude', 'mask', 'hash'] as const;

export type Treatment = (typeof treatments)[number];

/** The shape of a value by its schema. */
export type Shape =
  | { readonly kind: 'text' | 'scalar' | 'map' }
  | { readonly kind: 'record'; readonly fields: RecordShape }
  | { readonly kind: 'list'; readonly entry: Shape };

/** The fields of a record by their names. */
export type RecordShape = ReadonlyMap<string, FieldShape>;

export interface FieldShape {
  readonly shape: Shape;
  readonly isNullable: boolean;
}

/** The treatments of a stream's fields, applied before anything else uses a record. */
export interface FieldRules {
  /** Replaces the values of a mapped record. Pure; keeps the order of the fields. */
  readonly apply: (record: Value) => Value;
  /** Removes the excluded fields that a stream has restored from its checkpoint. */
  readonly exclude: (record: Value) => Value;
  /**
   * Reduces the content of a dead letter to declared fields, with their treatments. Other content
   * is removed: excluded values could be anywhere in it.
   */
  readonly redact: (error: DeadLetterError) => DeadLetterError;
}

/** The text that replaces a masked value. */
export const maskedText = '[masked]';

/** The rules of a record's fields and of the records within it. */
interface RuleTree {
  readonly byName: ReadonlyMap<string, Treatment | RuleTree>;
}

const noRules: RuleTree = { byName: new Map() };

/** Returns the replacement of a value that is not null; undefined removes the field. */
type Treat = (treatment: Treatment, name: string, value: Json) => Json | undefined;

/**
 * Compiles the rules of a stream.
 * @param paths - treatments by the path of the field, such as `owner.id`; no path within another
 * @param hash - a keyed hash: equal texts have equal hashes
 */
export function createFieldRules(
  fields: RecordShape,
  paths: ReadonlyMap<string, Treatment>,
  hash: (text: string) => string,
): FieldRules {
  const treat: Treat = (treatment, name, value) => {
    if (treatment === 'exclude') return undefined;
    const isHashed = treatment === 'hash' && typeof value === 'string';
    return isHashed ? hash(withoutSignature(name, value)) : maskedText;
  };
  const rules = treeOf([...paths]);
  const exclusions = treeOf([...paths].filter(([, treatment]) => treatment === 'exclude'));
  return {
    apply: (record) => applied(record, rules, treat),
    exclude: (record) => applied(record, exclusions, treat),
    redact: ({ code, message, path, raw }) => {
      const kept = keptNode(parseJson(raw), fields, { rules, treat });
      const content = kept === undefined ? removed(raw) : JSON.stringify(kept);
      return new DeadLetterError(code, message, { path, raw: content });
    },
  };
}

function treeOf(paths: readonly (readonly [path: string, treatment: Treatment])[]): RuleTree {
  const byName = new Map<string, Treatment | RuleTree>();
  for (const [path, treatment] of paths) {
    const [name = '', ...rest] = path.split('.');
    byName.set(name, rest.length === 0 ? treatment : treeOf(belowOf(name, paths)));
  }
  return { byName };
}

function belowOf<T>(name: string, paths: readonly (readonly [path: string, value: T])[]) {
  const prefix = `${name}.`;
  return paths
    .filter(([path]) => path.startsWith(prefix))
    .map(([path, value]) => [path.slice(prefix.length), value] as const);
}

function applied(record: Value, { byName }: RuleTree, treat: Treat): Value {
  if (byName.size === 0) return record;
  const value: Record<string, Json> = { ...record };
  for (const [name, rule] of byName) {
    const before = record[name] ?? null;
    if (before === null) continue;
    value[name] =
      typeof rule === 'string'
        ? (treat(rule, name, before) ?? null)
        : appliedBelow(before, rule, treat);
  }
  return value;
}

function appliedBelow(value: Json, rules: RuleTree, treat: Treat): Json {
  if (isNode(value)) return applied(value, rules, treat);
  return listOf(value)?.map((entry) => appliedBelow(entry, rules, treat)) ?? null;
}

/** The length distinguishes the dead letters of different contents. */
function removed(raw: string): string {
  return `[removed: ${raw.length} characters]`;
}

interface Reduction {
  readonly rules: RuleTree;
  readonly treat: Treat;
}

/** Returns the declared fields of a node as the API sends it; undefined for any other value. */
function keptNode(
  raw: Json | undefined,
  fields: RecordShape,
  { rules, treat }: Reduction,
): Node | undefined {
  if (!isNode(raw)) return undefined;
  const entries = [...fields].flatMap(([name, { shape }]) => {
    const value = Object.hasOwn(raw, name) ? raw[name] : undefined;
    if (value === undefined || value === null) return [];
    const rule = rules.byName.get(name);
    const kept =
      typeof rule === 'string'
        ? treat(rule, name, value)
        : keptValue(value, shape, { rules: rule ?? noRules, treat });
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return Object.fromEntries(entries);
}

/** Returns what a value has of its shape; undefined for a value of another shape. */
function keptValue(raw: Json, shape: Shape, reduction: Reduction): Json | undefined {
  switch (shape.kind) {
    case 'record':
      return keptNode(raw, shape.fields, reduction);
    case 'list':
      // The API wraps a list: `{data: [...]}`.
      return listOf(isNode(raw) ? raw['data'] : raw)
        ?.map((entry) => keptValue(entry, shape.entry, reduction))
        .filter((entry) => entry !== undefined);
    case 'map':
      return isNode(raw)
        ? Object.fromEntries(Object.entries(raw).filter(([, value]) => isScalar(value)))
        : undefined;
    case 'text':
    case 'scalar':
      return isScalar(raw) ? raw : undefined;
  }
}

function isScalar(value: Json): boolean {
  return typeof value !== 'object' || value === null;
}
