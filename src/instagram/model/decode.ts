import { invalidPart, readOrReject } from '../../engine/dead-letters.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import type { Field, Fields } from './fields.ts';
import { type Json, type Node, type Value, isNode } from '../../engine/json.ts';
import { type Mapped, type Origin, provenance } from '../../engine/stream.ts';
import { parseGraphTime } from './graph-time.ts';

export interface Decoded {
  readonly value: Value;
  /** Names of fields that are not declared, as `children[].foo`. */
  readonly unknown: readonly string[];
  /** Dead letters of invalid metrics, counts and list entries, which the value lacks. */
  readonly rejected: readonly DeadLetterError[];
}

interface FieldContext {
  readonly root: Node;
  /** `children[2].id`; empty for the root. */
  readonly path: string;
  readonly unknown: Set<string>;
  readonly rejected: DeadLetterError[];
}

/**
 * Maps a node by its declared fields, without coercion (Invariant 5): a wrong type or a missing
 * required field rejects the node by its path, an invalid metric, count or list entry only itself.
 * An undeclared field is reported by name.
 * @throws DeadLetterError `mapping.invalid` with the path and the raw node
 */
export function decode(fields: Fields, node: Node): Decoded {
  const context: FieldContext = { root: node, path: '', unknown: new Set(), rejected: [] };
  const value = decodeFields(fields, node, context);
  return { value, unknown: [...context.unknown], rejected: context.rejected };
}

function decodeFields(fields: Fields, node: Node, context: FieldContext): Value {
  const value: Record<string, Json> = {};
  for (const [name, declared] of Object.entries(fields)) {
    const path = context.path === '' ? name : `${context.path}.${name}`;
    value[name] = decodeDeclared(declared, node[name], { ...context, path });
  }
  for (const name of Object.keys(node)) {
    if (!Object.hasOwn(fields, name)) context.unknown.add(unknownName(context.path, name));
  }
  return value;
}

function decodeDeclared(
  declared: Fields[string],
  raw: Json | undefined,
  context: FieldContext,
): Json {
  const { field, required, isMetric } = declared;
  if (raw === undefined || raw === null) {
    if (required) throw invalid(context, expectations[field.kind], raw);
    return null;
  }
  if (isMetric !== true) return decodeField(field, raw, context);
  return readOrReject(context.rejected, () => decodeField(field, raw, context)) ?? null;
}

/** Drops positions to keep names few (Invariant 10): `children[3].foo` → `children[].foo`. */
function unknownName(path: string, name: string): string {
  const prefix = path.replaceAll(/\[\d+\]/g, '[]');
  return prefix === '' ? name : `${prefix}.${name}`;
}

function decodeField(field: Field, raw: Json, context: FieldContext): Json {
  if (field.kind === 'object') {
    if (!isNode(raw)) throw invalid(context, expectations.object, raw);
    return decodeFields(field.fields, raw, context);
  }
  if (field.kind === 'list') return decodeList(field.fields, raw, context);
  if (field.kind === 'counts') return decodeCounts(raw, context);
  return decodeScalar(field, raw, context);
}

type Scalar = Exclude<Field, { kind: 'object' | 'list' | 'counts' }>;

const scalars: Readonly<Record<Scalar['kind'], (raw: Json) => Json | undefined>> = {
  id: (raw) => graphId(raw),
  text: (raw) => (typeof raw === 'string' ? raw : undefined),
  url: (raw) => (typeof raw === 'string' ? raw : undefined),
  long: (raw) => (Number.isSafeInteger(raw) ? raw : undefined),
  double: (raw) => (typeof raw === 'number' ? raw : undefined),
  flag: (raw) => (typeof raw === 'boolean' ? raw : undefined),
  time: (raw) => (typeof raw === 'string' ? parseGraphTime(raw) : undefined),
};

function decodeScalar(field: Scalar, raw: Json, context: FieldContext): Json {
  const value = scalars[field.kind](raw);
  if (value === undefined) throw invalid(context, expectations[field.kind], raw);
  const isUrl = field.kind === 'url' && typeof value === 'string';
  return isUrl ? withoutParameters(value, field.without) : value;
}

function graphId(raw: Json): string | undefined {
  if (typeof raw === 'string') return /^\d+$/.test(raw) ? raw : undefined;
  const exact = typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0;
  return exact ? String(raw) : undefined;
}

function decodeList(fields: Fields, raw: Json, context: FieldContext): Json {
  const data = isNode(raw) ? raw['data'] : undefined;
  if (!Array.isArray(data)) throw invalid(context, expectations.list, raw);
  const entry: Field = { kind: 'object', fields };
  return (data as readonly Json[]).flatMap((item, index) => {
    const itemContext = { ...context, path: `${context.path}[${index}]` };
    const read = (): Json => decodeField(entry, item, itemContext);
    return readOrReject(context.rejected, read) ?? [];
  });
}

function decodeCounts(raw: Json, context: FieldContext): Json {
  // PHP writes an empty map as an empty list.
  if (Array.isArray(raw) && raw.length === 0) return {};
  if (!isNode(raw)) throw invalid(context, expectations.counts, raw);
  const counts = Object.entries(raw).filter(([name, count]) => {
    if (Number.isSafeInteger(count)) return true;
    const entryContext = { ...context, path: `${context.path}.${name}` };
    context.rejected.push(invalid(entryContext, expectations.long, count));
    return false;
  });
  // Assignment would lose a key `__proto__`.
  return Object.fromEntries(counts);
}

const expectations: Readonly<Record<Field['kind'], string>> = {
  id: 'an id (a text of digits)',
  text: 'a text',
  long: 'a whole number within 2^53',
  double: 'a number',
  flag: 'true or false',
  time: 'a time such as 2026-05-12T05:26:06+0000',
  counts: 'an object of whole numbers',
  url: 'a text (URL)',
  object: 'an object',
  list: 'an object with a list under "data"',
};

function invalid(
  context: FieldContext,
  expected: string,
  received: Json | undefined,
): DeadLetterError {
  return invalidPart({ path: context.path, expected, received, raw: context.root });
}

/** Creates the mapping of a stream whose records are its nodes' declared fields. */
export function recordOf(fields: Fields): (node: Node, origin: Origin) => Mapped {
  return (node, origin) => {
    const { value, ...besides } = decode(fields, node);
    return { kind: 'record', record: { ...provenance(origin), ...value }, ...besides };
  };
}

/**
 * Removes the named query parameters from a URL and keeps every other byte. Meta's CDN changes some
 * parameters on every call, which would make equal media look different.
 */
export function withoutParameters(url: string, names: readonly string[]): string {
  const question = url.indexOf('?');
  if (question < 0) return url;
  const hash = url.indexOf('#', question);
  const end = hash < 0 ? url.length : hash;
  const kept = url
    .slice(question + 1, end)
    .split('&')
    .filter((parameter) => !names.includes(parameter.split('=', 1)[0] ?? ''));
  const query = kept.length === 0 ? '' : `?${kept.join('&')}`;
  return url.slice(0, question) + query + url.slice(end);
}
