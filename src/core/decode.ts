import { DeadLetterError } from './errors.ts';
import type { Field, Fields } from './fields.ts';
import type { Json, Node, Value } from './json.ts';
import { describeJson, isNode } from './json.ts';
import { parseGraphTime } from './graph-time.ts';
import { withoutParameters } from './signed-url.ts';

/** A decoded value and the names of what came that nobody asked for, as `children[].foo`. */
export interface Decoded {
  readonly value: Value;
  readonly unknown: readonly string[];
}

interface Work {
  readonly root: Node;
  readonly unknown: Set<string>;
}

/**
 * Maps a node by its declared fields. Never coerces (Invariant 5): a wrong type or a missing
 * required field is refused by name; a missing or null optional one is null; a field that nobody
 * declared is left out and named.
 *
 * @throws DeadLetterError `mapping.invalid` with the path and the raw node
 */
export function decode(fields: Fields, node: Node): Decoded {
  const work: Work = { root: node, unknown: new Set() };
  const value = decodeFields(fields, node, { work, path: '' });
  return { value, unknown: [...work.unknown] };
}

interface At {
  readonly work: Work;
  readonly path: string;
}

function decodeFields(fields: Fields, node: Node, at: At): Value {
  const value: Record<string, Json> = {};
  for (const [name, { field, required }] of Object.entries(fields)) {
    const path = at.path === '' ? name : `${at.path}.${name}`;
    const raw = node[name];
    if (raw === undefined || raw === null) {
      if (required) refuse({ ...at, path }, expectation(field), raw);
      value[name] = null;
    } else {
      value[name] = decodeField(field, raw, { ...at, path });
    }
  }
  for (const name of Object.keys(node)) {
    if (!Object.hasOwn(fields, name)) at.work.unknown.add(unknownName(at.path, name));
  }
  return value;
}

/** Positions are dropped, so that the names stay few: `children[3].foo` counts as `children[].foo`. */
function unknownName(path: string, name: string): string {
  const prefix = path.replaceAll(/\[\d+\]/g, '[]');
  return prefix === '' ? name : `${prefix}.${name}`;
}

function decodeField(field: Field, raw: Json, at: At): Json {
  if (field.kind === 'object') {
    return decodeFields(field.fields, isNode(raw) ? raw : refuse(at, 'an object', raw), at);
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
  return value === undefined ? refuse(at, expectation(field), raw) : value;
}

function graphId(raw: Json): string | undefined {
  if (typeof raw === 'string') return /^\d+$/.test(raw) ? raw : undefined;
  const exact = typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0;
  return exact ? String(raw) : undefined;
}

function decodeList(fields: Fields, raw: Json, at: At): Json {
  const data = isNode(raw) ? raw['data'] : undefined;
  if (!Array.isArray(data)) return refuse(at, 'an object with a list under "data"', raw);
  return (data as readonly Json[]).map((item, index) => {
    const path = `${at.path}[${index}]`;
    return decodeFields(fields, isNode(item) ? item : refuse({ ...at, path }, 'an object', item), {
      ...at,
      path,
    });
  });
}

function decodeCounts(raw: Json, at: At): Json {
  // PHP writes an empty map as an empty list.
  if (Array.isArray(raw) && raw.length === 0) return {};
  if (!isNode(raw)) return refuse(at, 'an object of whole numbers', raw);
  for (const [name, count] of Object.entries(raw)) {
    if (!Number.isSafeInteger(count)) {
      refuse({ ...at, path: `${at.path}.${name}` }, 'a whole number within 2^53', count);
    }
  }
  return raw;
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

function expectation(field: Field): string {
  return expectations[field.kind];
}

function refuse(at: At, expected: string, came: Json | undefined): never {
  throw new DeadLetterError(
    'mapping.invalid',
    `field "${at.path}": expected ${expected}, got ${describeJson(came)}`,
    { path: at.path, raw: JSON.stringify(at.work.root) },
  );
}
