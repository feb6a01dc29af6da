import { invalidPart, readOrReject } from '../../engine/dead-letters.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import type { Field, Fields } from './fields.ts';
import { type Json, type Node, type Value, isNode } from '../../engine/json.ts';
import { parseGraphTime } from './graph-time.ts';
import { withoutParameters } from './signed-url.ts';

/** A decoded node. */
export interface Decoded {
  readonly value: Value;
  /** Names of fields that are not declared, as `children[].foo`. */
  readonly unknown: readonly string[];
  /** Metrics, counts and list entries that the value lacks because they are invalid. */
  readonly rejected: readonly DeadLetterError[];
}

interface Work {
  readonly root: Node;
  readonly unknown: Set<string>;
  readonly rejected: DeadLetterError[];
}

/**
 * Maps a node by its declared fields. Never coerces (Invariant 5): a wrong type or a missing
 * required field is rejected by its path; a missing or null optional one is null; a field that is not
 * declared is left out and named. An invalid metric, count or list entry costs itself, any other
 * invalid field the node.
 *
 * @throws DeadLetterError `mapping.invalid` with the path and the raw node
 */
export function decode(fields: Fields, node: Node): Decoded {
  const work: Work = { root: node, unknown: new Set(), rejected: [] };
  const value = decodeFields(fields, node, { work, path: '' });
  return { value, unknown: [...work.unknown], rejected: work.rejected };
}

interface At {
  readonly work: Work;
  readonly path: string;
}

function decodeFields(fields: Fields, node: Node, at: At): Value {
  const value: Record<string, Json> = {};
  for (const [name, declared] of Object.entries(fields)) {
    const path = at.path === '' ? name : `${at.path}.${name}`;
    value[name] = decodeDeclared(declared, node[name], { ...at, path });
  }
  for (const name of Object.keys(node)) {
    if (!Object.hasOwn(fields, name)) at.work.unknown.add(unknownName(at.path, name));
  }
  return value;
}

function decodeDeclared(declared: Fields[string], raw: Json | undefined, at: At): Json {
  const { field, required, isMetric } = declared;
  if (raw === undefined || raw === null) {
    if (required) throw invalid(at, expectations[field.kind], raw);
    return null;
  }
  if (isMetric !== true) return decodeField(field, raw, at);
  return readOrReject(at.work.rejected, () => decodeField(field, raw, at)) ?? null;
}

/** Positions are dropped, so that the names stay few: `children[3].foo` counts as `children[].foo`. */
function unknownName(path: string, name: string): string {
  const prefix = path.replaceAll(/\[\d+\]/g, '[]');
  return prefix === '' ? name : `${prefix}.${name}`;
}

function decodeField(field: Field, raw: Json, at: At): Json {
  if (field.kind === 'object') {
    if (!isNode(raw)) throw invalid(at, expectations.object, raw);
    return decodeFields(field.fields, raw, at);
  }
  if (field.kind === 'list') return decodeList(field.fields, raw, at);
  if (field.kind === 'counts') return decodeCounts(raw, at);
  return decodeScalar(field, raw, at);
}

type Scalar = Exclude<Field, { kind: 'object' | 'list' | 'counts' }>;

const scalars: Readonly<Record<Exclude<Scalar['kind'], 'url'>, (raw: Json) => Json | undefined>> = {
  id: (raw) => graphId(raw),
  text: (raw) => (typeof raw === 'string' ? raw : undefined),
  long: (raw) => (Number.isSafeInteger(raw) ? raw : undefined),
  double: (raw) => (typeof raw === 'number' ? raw : undefined),
  flag: (raw) => (typeof raw === 'boolean' ? raw : undefined),
  time: (raw) => (typeof raw === 'string' ? parseGraphTime(raw) : undefined),
};

function decodeScalar(field: Scalar, raw: Json, at: At): Json {
  const value =
    field.kind === 'url'
      ? typeof raw === 'string'
        ? withoutParameters(raw, field.without)
        : undefined
      : scalars[field.kind](raw);
  if (value === undefined) throw invalid(at, expectations[field.kind], raw);
  return value;
}

function graphId(raw: Json): string | undefined {
  if (typeof raw === 'string') return /^\d+$/.test(raw) ? raw : undefined;
  const exact = typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0;
  return exact ? String(raw) : undefined;
}

function decodeList(fields: Fields, raw: Json, at: At): Json {
  const data = isNode(raw) ? raw['data'] : undefined;
  if (!Array.isArray(data)) throw invalid(at, expectations.list, raw);
  return (data as readonly Json[]).flatMap((item, index) => {
    const entry: Field = { kind: 'object', fields };
    const here = { ...at, path: `${at.path}[${index}]` };
    return readOrReject(at.work.rejected, () => decodeField(entry, item, here)) ?? [];
  });
}

function decodeCounts(raw: Json, at: At): Json {
  // PHP writes an empty map as an empty list.
  if (Array.isArray(raw) && raw.length === 0) return {};
  if (!isNode(raw)) throw invalid(at, expectations.counts, raw);
  const counts = Object.entries(raw).filter(([name, count]) => {
    if (Number.isSafeInteger(count)) return true;
    const here = { ...at, path: `${at.path}.${name}` };
    at.work.rejected.push(invalid(here, expectations.long, count));
    return false;
  });
  // Not by assignment, which would lose `__proto__`.
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

function invalid(at: At, expected: string, came: Json | undefined): DeadLetterError {
  return invalidPart({ path: at.path, expected, came, raw: at.work.root });
}
